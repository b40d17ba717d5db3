/* A hello server as a state machine with its driver: bytes and the time go in, bytes and what was heard
 * come out.
 *
 * It allocates nothing, has no state of its own, and calls nobody but the transport that it is given.
 * Times are microseconds of any clock that does not go backwards.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The memory of a conversation. */
struct hello {
    _Alignas(8) unsigned char memory[256];
};

/* Bytes that are lent to a call until it returns. */
struct hello_slice {
    const uint8_t *bytes;
    size_t length;
};

/* What a function of a transport gives besides a count: it would have to wait, or the connection is
 * broken. */
#define HELLO_BLOCKED (-1)
#define HELLO_BROKE (-2)

/* What a stack does over a connection: `Transport` of barewire_core::driver. No function waits. */
struct hello_transport {
    /* Points `bytes` to what has arrived and was not consumed, or to the front of it, and gives its
     * length; 0 is the end of the client's stream. The bytes stay until `consume`, or the step's end. */
    ptrdiff_t (*receive)(void *connection, const uint8_t **bytes);
    /* Removes so many bytes from the front of what was received. */
    void (*consume)(void *connection, size_t count);
    /* Sends from the front of these bytes what there is room for, and gives how many that was. */
    ptrdiff_t (*send)(void *connection, const uint8_t *bytes, size_t length);
    /* Ends the sending direction behind all that was sent, and gives 0. */
    ptrdiff_t (*shut_down)(void *connection);
    /* The client has said its text. */
    void (*heard)(void *connection, const struct hello_slice *text);
};

enum hello_next {
    /* Call again when anything has happened to the connection, or at `until_us`. */
    HELLO_WAIT,
    /* The conversation is over, with this `outcome`. Call again at once. */
    HELLO_OVER,
    /* Close the connection, or reset it, and call no more. */
    HELLO_CLOSE,
    HELLO_RESET
};

enum hello_outcome {
    HELLO_IN_ORDER,
    /* The client said nothing, too much, or took too long, or did not close. */
    HELLO_SILENT,
    HELLO_TOO_LONG,
    HELLO_TIMED_OUT,
    HELLO_UNCLOSED,
    /* The connection broke, which is never success. */
    HELLO_BROKEN,
    HELLO_FAILED
};

struct hello_step {
    uint64_t until_us; /* UINT64_MAX: nothing is waited for but the connection. */
    enum hello_next next;
    enum hello_outcome outcome;
};

/* Begins a conversation on a connection that was just opened. The greeting, of at most 1,024 bytes of
 * UTF-8 without line feeds, must stay as it is until the end. False: it is no such text. */
bool hello_begin(struct hello *, uint64_t now_us, uint64_t timeout_us, struct hello_slice greeting);

/* Does all that can be done without waiting. Call it whenever anything has happened to the connection:
 * something came in, there is room again, it ended or broke; and when it is time. */
struct hello_step hello_step(struct hello *, uint64_t now_us, const struct hello_transport *,
                             void *connection);

/* What a peer said may hold escape sequences. This makes it safe to show: as much as there is room
 * for, and a zero byte. `room` is at least 1. */
void hello_show(const struct hello_slice *text, char *shown, size_t room);

#endif
