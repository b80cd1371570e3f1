/*
 * Loaded before a server that has no option for its address: it listens on loopback alone then. Without headers, so that
 * a compiler is all that it needs.
 */
struct address {
  unsigned short family;
  unsigned short port;
  unsigned char rest[24]; /* IPv4: the address first; IPv6: four bytes of flow, then the address */
};

enum { IPV4 = 2, IPV6 = 10, IPV6_AT = 4 };

void *dlsym(void *handle, const char *name);
#define NEXT ((void *)-1)

static int is_any(const unsigned char *bytes, int count) {
  while (count-- > 0)
    if (bytes[count] != 0) return 0;
  return 1;
}

int bind(int socket, const struct address *wanted, unsigned length) {
  int (*next)(int, const struct address *, unsigned) = dlsym(NEXT, "bind");
  struct address here = *wanted;
  if (here.family == IPV4 && is_any(here.rest, 4)) {
    here.rest[0] = 127;
    here.rest[3] = 1;
  } else if (here.family == IPV6 && is_any(here.rest + IPV6_AT, 16)) {
    unsigned char *at = here.rest + IPV6_AT;
    at[10] = at[11] = 255; /* ::ffff:127.0.0.1, for a socket of both families */
    at[12] = 127;
    at[15] = 1;
    if (next(socket, &here, length) == 0) return 0;
    at[10] = at[11] = at[12] = 0; /* ::1, for one of IPv6 alone */
  } else {
    return next(socket, wanted, length);
  }
  return next(socket, &here, length);
}
