/* Hello servers on lwIP's raw API. All of it is called from lwIP's own context, as that API is. */
#ifndef DRIVER_H
#define DRIVER_H

#include "hello.h"
#include "lwip/tcp.h"

struct connection {
    struct tcp_pcb *pcb; /* NULL: this one is free. */
    struct hello hello;
    struct pbuf *held; /* Came in, and is not taken yet. */
    bool has_ended;    /* So has the client's direction, */
    bool has_shut;     /* and so has ours. */
};

/* What a program hears of its clients. */
void on_heard(const struct hello_slice *text);
void on_failed(enum hello_step why);
void on_closed(void);
/* The connection broke, which is never success. */
void on_broken(err_t why);

/* Listens. */
err_t serve(u16_t port, uint64_t timeout_us);

#endif
