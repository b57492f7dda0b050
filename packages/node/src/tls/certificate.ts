/** A server's certificate and key as they lie on disk, and what must hold before they are used. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { EarshotError } from "@earshot/core";

/** PEM text. */
export interface CertificateFiles {
  /** The server's certificate first, then its issuers'. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificate extends CertificateFiles {
  /** Unix ms. */
  readonly notAfter: number;
}

/**
 * Checks that the pair can be served now. Throws EarshotError `certificate-unusable`: no certificate, no key, not a pair, or past its
 * time. One that is self-signed, or not valid yet by a few minutes' difference of clocks, is the operator's business.
 */
export function checkCertificate({ cert, key }: CertificateFiles, now: number): Certificate {
  const unusable = (why: string, cause?: unknown): EarshotError =>
    new EarshotError("certificate-unusable", `the TLS certificate cannot be used: ${why}`, { cause });
  const leaf = attempt(() => new X509Certificate(cert));
  if (leaf === undefined) throw unusable("there is no certificate in the file");
  const secret = attempt(() => createPrivateKey(key));
  if (secret === undefined) throw unusable("there is no private key in the file, or it needs a passphrase");
  if (!leaf.checkPrivateKey(secret)) throw unusable("the key belongs to another certificate");
  const notAfter = Date.parse(leaf.validTo);
  if (!(notAfter > now)) throw unusable("it has expired");
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw unusable("OpenSSL does not take it", cause);
  }
  return { cert, key, notAfter };
}

/** For all connections of a worker: TLS 1.2 with forward secrecy, and 1.3; sessions resume by ticket only. */
export function serverContext({ cert, key }: CertificateFiles, ticketKeys: Buffer): SecureContext {
  return createSecureContext({
    cert,
    key,
    ticketKeys,
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
    honorCipherOrder: true,
  });
}

/** Those of TLS 1.2 with forward secrecy and authenticated encryption; TLS 1.3's own. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
