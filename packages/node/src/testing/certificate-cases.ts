/** For tests: certificates that nobody trusts, made when they are needed. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly cert: string;
}

/** Writes a fresh self-signed certificate for localhost over what is in `folder`, or into a new one. */
export async function writeCertificate(folder = mkdtempSync(join(tmpdir(), "earshot-tls-"))): Promise<TestCertificate> {
  const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  writeFileSync(certFile, made.cert);
  return { certFile, keyFile, cert: made.cert };
}
