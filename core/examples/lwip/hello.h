/* A hello server as a state machine: bytes and the time go in, bytes and what was heard come out.
 *
 * It calls nobody, allocates nothing and has no state of its own. The driving rule is that of
 * barewire_core::session. Times are microseconds of any clock that does not go backwards.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The memory of a conversation. */
struct hello {
    _Alignas(8) unsigned char memory[192];
};

/* Bytes that are lent: to a call until it returns, or by one until the next. */
struct hello_slice {
    const uint8_t *bytes;
    size_t length;
};

enum hello_step {
    /* Nothing more: input, an end, room or time is needed. */
    HELLO_WAIT,
    /* The client has said its text. Call again. */
    HELLO_HEARD,
    /* The conversation has failed: the client said nothing, too much, or took too long, or did not
     * close. Make no further such call. */
    HELLO_SILENT,
    HELLO_TOO_LONG,
    HELLO_TIMED_OUT,
    HELLO_UNCLOSED,
    /* For a reason that these do not name. */
    HELLO_FAILED
};

enum hello_wish { HELLO_NOTHING, HELLO_SEND, HELLO_SHUT, HELLO_CLOSE };

/* Begins a conversation on a connection that was just opened. The greeting, of at most 1,024 bytes of
 * UTF-8 without line feeds, must stay as it is until the end. False: it is no such text. */
bool hello_begin(struct hello *, uint64_t now_us, uint64_t timeout_us, struct hello_slice greeting);

/* Takes bytes that came in, and moves the front of `input` past them. What is left is offered again
 * later. The text that was heard lies in the input, or in the memory of the conversation. */
enum hello_step hello_input(struct hello *, uint64_t now_us, struct hello_slice *input,
                            struct hello_slice *heard);
/* The client has ended its direction, and all its bytes were taken. */
enum hello_step hello_end(struct hello *, uint64_t now_us, struct hello_slice *heard);
/* The deadline may have been reached, and all bytes that had come were offered. */
enum hello_step hello_timeout(struct hello *, uint64_t now_us, struct hello_slice *heard);

/* What to do next: send these bytes, any number of them; end the direction; or close. Asking again
 * gives the same answer until it is told what was done. */
enum hello_wish hello_poll_transmit(const struct hello *, struct hello_slice *bytes);
/* So many bytes were sent; 0 for a direction that was ended. */
void hello_transmitted(struct hello *, uint64_t now_us, size_t count);
/* When `hello_timeout` wants to be called; UINT64_MAX if never. Any call may move it. */
uint64_t hello_deadline_us(const struct hello *);

/* What a peer said may hold escape sequences. This makes it safe to show: as much as there is room
 * for, and a zero byte. `room` is at least 1. */
void hello_show(const struct hello_slice *text, char *shown, size_t room);

#endif
