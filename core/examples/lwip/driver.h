/* Hello servers on lwIP's raw API. All of it is called from lwIP's own context, as that API is. */
#ifndef DRIVER_H
#define DRIVER_H

#include "hello.h"
#include "lwip/tcp.h"

struct connection {
    struct tcp_pcb *pcb; /* NULL: lwIP has it no more. */
    struct hello hello;
    struct pbuf *held; /* Came in, and is not consumed yet. */
    bool has_ended;    /* So has the client's direction. */
    err_t broken;      /* Why the connection broke. */
    bool is_taken;
};

/* What a program hears of its clients. */
void on_heard(const struct hello_slice *text);
/* How a conversation ended, and if the connection broke, why. */
void on_over(enum hello_outcome outcome, err_t broken);

/* Listens. */
err_t serve(u16_t port, uint64_t timeout_us);

#endif
