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

/* Closes, or resets: that is also what is left when lwIP has no memory for a close. */
static err_t finish(struct connection *c, bool in_order) {
    struct tcp_pcb *pcb = c->pcb;
    release(c);
    if (in_order && tcp_close(pcb) == ERR_OK) {
        return ERR_OK;
    }
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Offers what came in, or the end of it. */
static enum hello_step offer(struct connection *c, uint64_t now) {
    enum hello_step step = HELLO_WAIT;
    struct hello_slice heard;
    while (c->held != NULL) {
        struct pbuf *first = c->held;
        struct hello_slice input = {first->payload, first->len};
        while ((step = hello_input(&c->hello, now, &input, &heard)) == HELLO_HEARD) {
            on_heard(&heard);
        }
        u16_t taken = first->len - (u16_t)input.length;
        tcp_recved(c->pcb, taken);
        if (input.length > 0 || step != HELLO_WAIT) {
            pbuf_remove_header(first, taken);
            return step;
        }
        c->held = first->next;
        if (c->held != NULL) {
            pbuf_ref(c->held);
        }
        pbuf_free(first);
    }
    while (c->has_ended && (step = hello_end(&c->hello, now, &heard)) == HELLO_HEARD) {
        on_heard(&heard);
    }
    return step;
}

/* Bytes, then the time, and the bytes again: the time may have made room for them. */
static enum hello_step handle(struct connection *c, uint64_t now) {
    enum hello_step step = offer(c, now);
    struct hello_slice heard;
    if (step != HELLO_WAIT || now < hello_deadline_us(&c->hello)) {
        return step;
    }
    while ((step = hello_timeout(&c->hello, now, &heard)) == HELLO_HEARD) {
        on_heard(&heard);
    }
    return step == HELLO_WAIT ? offer(c, now) : step;
}

/* Carries out what the session wants, until it wants nothing or lwIP takes no more. */
static enum hello_wish transmit(struct connection *c, uint64_t now) {
    for (;;) {
        struct hello_slice bytes = {NULL, 0};
        enum hello_wish wish = hello_poll_transmit(&c->hello, &bytes);
        size_t count = LWIP_MIN(bytes.length, tcp_sndbuf(c->pcb));
        switch (wish) {
        case HELLO_SEND:
            if (count == 0 ||
                tcp_write(c->pcb, bytes.bytes, (u16_t)count, TCP_WRITE_FLAG_COPY) != ERR_OK) {
                return HELLO_NOTHING;
            }
            break;
        case HELLO_SHUT:
            if (tcp_shutdown(c->pcb, 0, 1) != ERR_OK) {
                return HELLO_NOTHING;
            }
            c->has_shut = true;
            break;
        default:
            return wish;
        }
        hello_transmitted(&c->hello, now, count);
    }
}

/* Called whenever anything has happened. */
static err_t turn(struct connection *c) {
    uint64_t now = now_us();
    enum hello_step step = handle(c, now);
    enum hello_wish wish = transmit(c, now);
    if (step == HELLO_WAIT && c->held != NULL) {
        /* What was sent may have made room. */
        step = handle(c, now);
        wish = transmit(c, now);
    }
    if (step != HELLO_WAIT) {
        on_failed(step);
        return finish(c, c->has_shut);
    }
    if (wish == HELLO_CLOSE) {
        on_closed();
        return finish(c, true);
    }
    sys_untimeout(on_timer, c);
    uint64_t deadline = hello_deadline_us(&c->hello);
    if (deadline != UINT64_MAX) {
        uint64_t wait = deadline > now ? (deadline - now + 999) / 1000 : 0;
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
    release(c);
    on_broken(error);
}

static err_t on_accepted(void *argument, struct tcp_pcb *pcb, err_t error) {
    struct hello_slice text = {(const uint8_t *)greeting, sizeof greeting - 1};
    LWIP_UNUSED_ARG(argument);
    if (error != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    for (size_t i = 0; i < LWIP_ARRAYSIZE(connections); i++) {
        struct connection *c = &connections[i];
        if (c->pcb == NULL && hello_begin(&c->hello, now_us(), timeout, text)) {
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
