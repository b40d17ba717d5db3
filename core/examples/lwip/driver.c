#include "driver.h"

#include <string.h>

#include "lwip/sys.h"
#include "lwip/timeouts.h"

static const char greeting[] = "\xe4\xbd\xa0\xe5\xa5\xbd";
static struct connection connections[4];
static uint64_t timeout;

/* lwIP counts milliseconds in 32 bits, which wrap after 49 days. */
static uint64_t now_us(void) {
    static u32_t last;
    static uint64_t wraps;
    u32_t now = sys_now();
    wraps += now < last;
    last = now;
    return ((wraps << 32) + now) * 1000;
}

static void on_timer(void *argument);

/* The stack has the connection no more, or is to have it alone. */
static void release(struct connection *c) {
    sys_untimeout(on_timer, c);
    if (c->held != NULL) {
        pbuf_free(c->held);
    }
    if (c->pcb != NULL) {
        tcp_arg(c->pcb, NULL);
        tcp_recv(c->pcb, NULL);
        tcp_sent(c->pcb, NULL);
        tcp_poll(c->pcb, NULL, 0);
        tcp_err(c->pcb, NULL);
    }
    memset(c, 0, sizeof *c);
}

/* What has come in lies in a chain of buffers. */
static ptrdiff_t receive(void *connection, const uint8_t **bytes) {
    struct connection *c = connection;
    if (c->pcb == NULL) {
        return HELLO_BROKE;
    }
    if (c->held == NULL) {
        return c->has_ended ? 0 : HELLO_BLOCKED;
    }
    *bytes = c->held->payload;
    return c->held->len;
}

static void consume(void *connection, size_t count) {
    struct connection *c = connection;
    tcp_recved(c->pcb, (u16_t)count);
    c->held = pbuf_free_header(c->held, (u16_t)count);
}

static ptrdiff_t send(void *connection, const uint8_t *bytes, size_t length) {
    struct connection *c = connection;
    if (c->pcb == NULL) {
        return HELLO_BROKE;
    }
    size_t count = LWIP_MIN(length, tcp_sndbuf(c->pcb));
    bool is_sent = count > 0 && tcp_write(c->pcb, bytes, (u16_t)count, TCP_WRITE_FLAG_COPY) == ERR_OK;
    return is_sent ? (ptrdiff_t)count : HELLO_BLOCKED;
}

static ptrdiff_t shut_down(void *connection) {
    struct connection *c = connection;
    if (c->pcb == NULL) {
        return HELLO_BROKE;
    }
    return tcp_shutdown(c->pcb, 0, 1) == ERR_OK ? 0 : HELLO_BLOCKED;
}

static void heard(void *connection, const struct hello_slice *text) {
    LWIP_UNUSED_ARG(connection);
    on_heard(text);
}

static const struct hello_transport transport = {receive, consume, send, shut_down, heard};

/* Closes, or resets: that is also what is left when lwIP has no memory for a close. */
static err_t finish(struct connection *c, bool in_order) {
    struct tcp_pcb *pcb = c->pcb;
    release(c);
    if (pcb == NULL || (in_order && tcp_close(pcb) == ERR_OK)) {
        return ERR_OK;
    }
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Called whenever anything has happened. */
static err_t turn(struct connection *c) {
    uint64_t now = now_us();
    struct hello_step step;
    while ((step = hello_step(&c->hello, now, &transport, c)).next == HELLO_OVER) {
        on_over(step.outcome, c->broken);
    }
    if (step.next != HELLO_WAIT) {
        return finish(c, step.next == HELLO_CLOSE);
    }
    sys_untimeout(on_timer, c);
    if (step.until_us != UINT64_MAX) {
        uint64_t wait = step.until_us > now ? (step.until_us - now + 999) / 1000 : 0;
        sys_timeout((u32_t)LWIP_MIN(wait, 3600000), on_timer, c);
    }
    tcp_output(c->pcb); /* What it has no memory for, lwIP sends later. */
    return ERR_OK;
}

static void on_timer(void *argument) {
    turn(argument);
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error) {
    struct connection *c = argument;
    LWIP_UNUSED_ARG(pcb);
    LWIP_UNUSED_ARG(error);
    if (bytes == NULL) {
        c->has_ended = true;
    } else if (c->held == NULL) {
        c->held = bytes;
    } else {
        pbuf_cat(c->held, bytes);
    }
    return turn(c);
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, u16_t count) {
    LWIP_UNUSED_ARG(pcb);
    LWIP_UNUSED_ARG(count);
    return turn(argument);
}

/* Now and then: what lwIP had no memory for is tried again. */
static err_t on_poll(void *argument, struct tcp_pcb *pcb) {
    LWIP_UNUSED_ARG(pcb);
    return turn(argument);
}

static void on_error(void *argument, err_t error) {
    struct connection *c = argument;
    c->pcb = NULL; /* lwIP has freed it. */
    c->broken = error;
    turn(c);
}

static err_t on_accepted(void *argument, struct tcp_pcb *pcb, err_t error) {
    struct hello_slice text = {(const uint8_t *)greeting, sizeof greeting - 1};
    LWIP_UNUSED_ARG(argument);
    if (error != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    for (size_t i = 0; i < LWIP_ARRAYSIZE(connections); i++) {
        struct connection *c = &connections[i];
        if (!c->is_taken && hello_begin(&c->hello, now_us(), timeout, text)) {
            c->is_taken = true;
            c->pcb = pcb;
            tcp_arg(pcb, c);
            tcp_recv(pcb, on_received);
            tcp_sent(pcb, on_sent);
            tcp_poll(pcb, on_poll, 1);
            tcp_err(pcb, on_error);
            return turn(c);
        }
    }
    tcp_abort(pcb); /* As many as there are places for. */
    return ERR_ABRT;
}

err_t serve(u16_t port, uint64_t timeout_us) {
    struct tcp_pcb *pcb = tcp_new();
    timeout = timeout_us;
    err_t error = pcb == NULL ? ERR_MEM : tcp_bind(pcb, IP_ADDR_ANY, port);
    if (error == ERR_OK) {
        pcb = tcp_listen_with_backlog_and_err(pcb, LWIP_ARRAYSIZE(connections), &error);
    }
    if (error == ERR_OK) {
        tcp_accept(pcb, on_accepted);
    }
    return error;
}
