/** A DNS server on a real socket that answers TXT questions from a table, or misbehaves. For tests. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** The TXT records of a name, each as its chunks; or what to do instead. */
export type TxtAnswer =
  | readonly (readonly string[])[]
  | "no-such-name"
  | "server-failed"
  | "silent"
  | "garbage"
  | "wrong-id";

const HEADER_BYTES = 12;
const RESPONSE_CODES = { "no-such-name": 3, "server-failed": 2 } as const;

export class TxtServer {
  readonly answers = new Map<string, TxtAnswer>();
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (question, { address, port }) => {
      const answer = this.#answer(question);
      if (answer) socket.send(answer, port, address);
    });
  }

  static async start(): Promise<TxtServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new TxtServer(socket);
  }

  /** For `setServers`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  stop(): void {
    this.#socket.close();
  }

  #answer(question: Buffer): Buffer | undefined {
    const { name, end } = readName(question);
    this.asked.push(name);
    const answer = this.answers.get(name) ?? "no-such-name";
    if (answer === "silent") return undefined;
    if (answer === "garbage") return Buffer.from("this is no answer");
    const header = Buffer.from(question.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(0x8180 | (typeof answer === "string" && answer in RESPONSE_CODES ? codeOf(answer) : 0), 2);
    const records = typeof answer === "string" ? [] : answer;
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    if (answer === "wrong-id") header.writeUInt16BE(header.readUInt16BE(0) ^ 1, 0);
    return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records.map(recordOf)]);
  }
}

function codeOf(answer: string): number {
  return RESPONSE_CODES[answer as keyof typeof RESPONSE_CODES];
}

/** The question's name, and where the question ends. */
function readName(question: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  while (question[at]) {
    const length = question[at] as number;
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 5 };
}

function recordOf(chunks: readonly string[]): Buffer {
  const data = Buffer.concat(chunks.map((chunk) => Buffer.concat([Buffer.of(chunk.length), Buffer.from(chunk)])));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name in the question
  head.writeUInt16BE(16, 2); // TXT
  head.writeUInt16BE(1, 4); // IN
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
