/**
 * Follows a certificate and its key on disk: looked at every few seconds (renewal tools swap links, which file watching misses) and at
 * once when asked. A pair that cannot be used is told and not taken: the old one stays.
 */
import { readFileSync, statSync } from "node:fs";
import { type Clock, EarshotError } from "@earshot/core";
import { type Certificate, checkCertificate } from "./certificate.ts";

const LOOK_EVERY_MS = 5_000;
/** Of a chain, or a key. */
const MAX_FILE_BYTES = 256 * 1024;
const OTHERS_MAY_READ = 0o004;

export interface CertificatePaths {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateEvents {
  changed(certificate: Certificate): void;
  /** The new pair cannot be used; told once for each change of the files. `code` is an EarshotError's. */
  rejected(code: string): void;
}

/** Reads the pair. Throws EarshotError `certificate-unusable`, or `file-not-private` where everybody can read the key. */
export function readCertificate({ certFile, keyFile }: CertificatePaths, now: number): Certificate {
  const cert = readBounded(certFile);
  if ((statSync(keyFile, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MAY_READ)
    throw new EarshotError("file-not-private", `everybody can read ${keyFile}: chmod o-r ${keyFile}`);
  return checkCertificate({ cert, key: readBounded(keyFile) }, now);
}

export class CertificateWatch {
  readonly #paths: CertificatePaths;
  readonly #clock: Clock;
  readonly #events: CertificateEvents;
  #current: Certificate;
  #seen: string;
  #problem: string | undefined;
  #cancel: () => void;

  /** Throws as `readCertificate` does. */
  constructor(paths: CertificatePaths, clock: Clock, events: CertificateEvents) {
    this.#paths = paths;
    this.#clock = clock;
    this.#events = events;
    this.#seen = this.#stamp();
    this.#current = readCertificate(paths, clock.now());
    this.#cancel = this.#schedule();
  }

  get current(): Certificate {
    return this.#current;
  }

  /** The code under which the files on disk were rejected; undefined where what is served is what lies there. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the files now, changed or not. */
  reload(): void {
    this.#seen = this.#stamp();
    try {
      const read = readCertificate(this.#paths, this.#clock.now());
      this.#problem = undefined;
      if (read.cert === this.#current.cert && read.key === this.#current.key) return;
      this.#current = read;
      this.#events.changed(read);
    } catch (error) {
      this.#problem = error instanceof EarshotError ? error.code : "certificate-unusable";
      this.#events.rejected(this.#problem);
    }
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.setTimer(LOOK_EVERY_MS, () => {
      if (this.#stamp() !== this.#seen) this.reload();
      this.#cancel = this.#schedule();
    });
  }

  /** Changes whenever one of the files does, links followed. */
  #stamp(): string {
    return [this.#paths.certFile, this.#paths.keyFile].map(stampOf).join(" ");
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "none";
  }
}

function readBounded(path: string): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new EarshotError("certificate-unusable", `there is no file ${path}`);
  if (size > MAX_FILE_BYTES) throw new EarshotError("certificate-unusable", `${path} is too large to be PEM`);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new EarshotError("certificate-unusable", `${path} cannot be read: check its permissions`, { cause });
  }
}
