/* The hello server on lwIP, with clients on the same stack, one after the other: one answers, one is
 * silent, and one resets. Exits with 0 if each ended as it should. */
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"

#define PORT 9001

enum client { ANSWERS, IS_SILENT, RESETS, NONE };

static const char answer[] = "Hello from C \x1b[31m";
static struct netif interface;
static struct tcp_pcb *own; /* The client's. */
static enum client client;
static unsigned holds, fails;
static sys_sem_t over;

static void expect(bool condition, const char *what) {
    printf("%s: %s\n", condition ? "ok" : "FAILED", what);
    *(condition ? &holds : &fails) += 1;
}

static err_t on_greeting(void *argument, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    if (bytes == NULL) {
        return ERR_OK; /* The server has spoken: it has half-closed. */
    }
    char greeting[8] = "";
    u16_t length = pbuf_copy_partial(bytes, greeting, sizeof greeting, 0);
    expect(length == 7 && memcmp(greeting, "\xe4\xbd\xa0\xe5\xa5\xbd\n", 7) == 0, "the greeting");
    tcp_recved(pcb, bytes->tot_len);
    pbuf_free(bytes);
    if (client == RESETS) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    if (client == ANSWERS) {
        tcp_write(pcb, answer, sizeof answer - 1, 0);
        tcp_shutdown(pcb, 0, 1);
    }
    return ERR_OK;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    tcp_recv(pcb, on_greeting);
    return ERR_OK;
}

static void start(enum client next) {
    client = next;
    if (next == NONE) {
        sys_sem_signal(&over);
        return;
    }
    own = tcp_new();
    tcp_connect(own, netif_ip_addr4(&interface), PORT, on_connected);
}

void on_heard(const struct hello_slice *text) {
    char shown[64];
    hello_show(text, shown, sizeof shown);
    expect(client == ANSWERS && strcmp(shown, "Hello from C \\x1b[31m") == 0, shown);
}

void on_over(enum hello_outcome outcome, err_t broken) {
    switch (client) {
    case ANSWERS:
        expect(outcome == HELLO_IN_ORDER, "who answers is closed in order");
        start(IS_SILENT);
        break;
    case IS_SILENT:
        expect(outcome == HELLO_TIMED_OUT, "who is silent is given up");
        tcp_abort(own);
        start(RESETS);
        break;
    default:
        expect(outcome == HELLO_BROKEN && broken == ERR_RST, "who resets is no success");
        start(NONE);
    }
}

static err_t set_up(struct netif *netif) {
    netif->name[0] = 'm';
    netif->name[1] = 'e';
    return ERR_OK;
}

static void run(void *argument) {
    LWIP_UNUSED_ARG(argument);
    ip4_addr_t address, mask, gateway;
    /* A packet to an interface's own address comes back without ever leaving it. */
    IP4_ADDR(&address, 192, 0, 2, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 0, 0, 0, 0);
    netif_add(&interface, &address, &mask, &gateway, NULL, set_up, tcpip_input);
    netif_set_up(&interface);
    netif_set_link_up(&interface);
    expect(serve(PORT, 1000 * 1000) == ERR_OK, "the server listens");
    start(ANSWERS);
}

int main(void) {
    if (sys_sem_new(&over, 0) != ERR_OK) {
        return 1;
    }
    tcpip_init(run, NULL);
    expect(sys_arch_sem_wait(&over, 20 * 1000) != SYS_ARCH_TIMEOUT, "all in time");
    return holds == 9 && fails == 0 ? 0 : 1;
}
