/**
 * What a network lets through, seen from both sides by single datagrams (as RFC 5780 does it).
 *
 *     node probe-main.mjs serve HOST OTHER_HOST      answers each "N" from its N-th socket with the address it came from
 *     node probe-main.mjs look  HOST OTHER_HOST      prints what it found as JSON
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [, , what, host, other] = process.argv;
const PORTS = [4000, 4001];
const TCP_PORTS = [443, 8443];
/** What comes, comes within a millisecond or two; on a busy machine much later. */
const ANSWER_MS = 1_000;

const sockets = [
  { address: host, port: PORTS[0] },
  { address: host, port: PORTS[1] },
  { address: other, port: PORTS[0] },
];

async function bind(port, address) {
  const socket = createSocket("udp4");
  await new Promise((resolve) => socket.bind(port, address, resolve));
  return socket;
}

async function serve() {
  const bound = await Promise.all(sockets.map(({ address, port }) => bind(port, address)));
  for (const socket of bound) {
    socket.on("message", (text, from) => {
      // "2" or "2 1234": from that socket, to the port that it came from or another one of that address
      const [index, port] = String(text).split(" ");
      bound[Number(index)].send(`${from.address}:${from.port}`, Number(port ?? from.port), from.address);
    });
  }
  for (const port of TCP_PORTS) createServer((socket) => socket.on("error", () => {}).end()).listen(port, host);
  process.send?.("ready");
}

/** What comes to this socket, as far as `count`: texts by the address and port that they come from. */
function hear(socket, count) {
  const heard = new Map();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(heard), ANSWER_MS);
    socket.on("message", (text, { address, port }) => {
      heard.set(`${address}:${port}`, String(text));
      if (heard.size < count) return;
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

/** Sends to the first one, and tells whether that one's answer comes from another of them. */
async function answeredFrom(socket, index) {
  const heard = hear(socket, 1);
  socket.send(String(index), sockets[0].port, host);
  return (await heard).size > 0;
}

function opens(port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    for (const event of ["error", "timeout"]) socket.once(event, () => resolve(socket.destroy() && false));
    socket.once("connect", () => resolve(socket.destroy() && true));
  });
}

async function look() {
  const [mapping, port, address, never] = await Promise.all([0, 0, 0, 0].map((each) => bind(each)));
  const asked = hear(mapping, sockets.length);
  for (const [i, to] of sockets.entries()) mapping.send(String(i), to.port, to.address);
  const heard = await asked;
  const seen = sockets.map((to) => heard.get(`${to.address}:${to.port}`));
  const unaskedFor = hear(never, 1);
  port.send(`0 ${never.address().port}`, sockets[0].port, host);
  const found = await Promise.all([
    // Each from a socket that has sent to the first one only, …
    answeredFrom(port, 1),
    answeredFrom(address, 2),
    // … and one that has sent to nobody: asked for by another's.
    unaskedFor.then(({ size }) => size > 0),
    ...TCP_PORTS.map(opens),
  ]);
  const [fromOtherPort, fromOtherHost, unasked, tcp443, tcpOther] = found;
  const [first] = seen;
  return {
    udp: seen.every((each) => each !== undefined),
    oneMapping: new Set(seen).size === 1,
    keepsPort: first?.endsWith(`:${mapping.address().port}`) ?? false,
    ...{ fromOtherPort, fromOtherHost, unasked, tcp443, tcpOther },
    ...(first === undefined ? {} : { seenAs: first.split(":")[0] }),
  };
}

if (what === "serve") await serve();
else {
  process.stdout.write(JSON.stringify(await look()));
  process.exit();
}
