/** Certificates for tests, made by openssl in a folder of their own: an authority, a server at 127.0.0.1 and a client. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Certificates {
  readonly ca: Pair;
  readonly server: Pair;
  readonly client: Pair;
  /** of another authority */
  readonly stranger: Pair;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-tls-"));
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const pair = (name: string): Pair => {
    const [certPath, keyPath] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
    return { certPath, keyPath, cert: readFileSync(certPath), key: readFileSync(keyPath) };
  };
  const authority = (name: string): Pair => {
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
    );
    return pair(name);
  };
  const signed = (name: string, extension: string): Pair => {
    writeFileSync(join(folder, `${name}.ext`), `${extension}\n`);
    openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const ca = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...ca,
      "-out",
      `${name}.crt`,
      "-days",
      "2",
      "-extfile",
      `${name}.ext`,
    );
    return pair(name);
  };
  return {
    ca: authority("ca"),
    server: signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
    client: signed("client", "extendedKeyUsage=clientAuth"),
    stranger: authority("stranger"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
