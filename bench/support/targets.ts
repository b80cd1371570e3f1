/** Endpoints that are made from a few numbers, so that a hundred thousand of them need no memory before the scan. */
export interface EndpointSpec {
  count: number;
  /** The first two bytes of the addresses: `127.1`. */
  net: string;
  /** How many addresses take turns. */
  addresses: number;
  port: number;
}

export function addressOf(net: string, index: number): string {
  return `${net}.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** Lines of a target list, each a name of its own: `name@address:port`. */
export function targetLines({ count, net, addresses, port }: EndpointSpec): string[] {
  return Array.from({ length: count }, (_, index) => {
    const address = index % addresses;
    return `n${index}.c${address}.bench.example@${addressOf(net, address)}:${port}`;
  });
}
