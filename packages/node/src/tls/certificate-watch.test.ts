import { chmodSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { writeCertificate } from "../testing/certificate-cases.ts";
import { CertificateWatch, readCertificate } from "./certificate-watch.ts";

const LOOK_MS = 5_000;

async function watched() {
  const files = await writeCertificate();
  const clock = new VirtualClock(Date.now());
  const told: string[] = [];
  const watch = new CertificateWatch(files, clock, {
    changed: ({ cert }) => told.push(cert),
    rejected: (code) => told.push(code),
  });
  return { files, clock, told, watch };
}

test("a renewed pair is taken within seconds, and once", async () => {
  const { files, clock, told, watch } = await watched();
  await clock.advance(LOOK_MS * 3);
  expect(told).toEqual([]);
  const { cert } = await writeCertificate(dirname(files.certFile));
  await clock.advance(LOOK_MS * 3);
  expect(told).toEqual([cert]);
  expect(watch.current.cert).toBe(cert);
  watch.stop();
});

test("links that a renewal tool swaps are followed", async () => {
  const [old, renewed] = [await writeCertificate(), await writeCertificate()];
  const [live, next] = [join(dirname(old.certFile), "live"), join(dirname(old.certFile), "next")];
  symlinkSync(dirname(old.certFile), live);
  const clock = new VirtualClock(Date.now());
  const told: string[] = [];
  const paths = { certFile: join(live, "cert.pem"), keyFile: join(live, "key.pem") };
  const watch = new CertificateWatch(paths, clock, { changed: ({ cert }) => told.push(cert), rejected: () => {} });
  symlinkSync(dirname(renewed.certFile), next);
  renameSync(next, live);
  await clock.advance(LOOK_MS);
  expect(told).toEqual([renewed.cert]);
  watch.stop();
});

test("what cannot be used is told once and not taken, and mended", async () => {
  const { files, clock, told, watch } = await watched();
  const old = watch.current;
  unlinkSync(files.certFile);
  await clock.advance(LOOK_MS * 3);
  expect(told).toEqual(["certificate-unusable"]);
  expect(watch.problem).toBe("certificate-unusable");
  expect(watch.current).toBe(old);
  writeFileSync(files.certFile, files.cert);
  await clock.advance(LOOK_MS);
  expect(watch.problem).toBeUndefined();
  watch.stop();
});

test("a key of another certificate, an expired one, and one that everybody can read are refused", async () => {
  const [files, other] = [await writeCertificate(), await writeCertificate()];
  const unusable = expect.objectContaining({ code: "certificate-unusable" });
  expect(() => readCertificate({ ...files, keyFile: other.keyFile }, Date.now())).toThrow(unusable);
  expect(() => readCertificate(files, Date.now() + 10 * 366 * 86_400_000)).toThrow(unusable);
  expect(() => readCertificate({ ...files, certFile: files.keyFile }, Date.now())).toThrow(unusable);
  chmodSync(files.keyFile, 0o644);
  expect(() => readCertificate(files, Date.now())).toThrow(expect.objectContaining({ code: "file-not-private" }));
});
