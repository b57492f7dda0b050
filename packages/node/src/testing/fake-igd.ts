/** For tests: a home router that opens ports by UPnP, on loopback, honest or not. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseXml, type XmlElement } from "../port-mapping/upnp/xml.ts";

const XML = { "Content-Type": "text/xml" };

export interface IgdEntry {
  readonly client: string;
  readonly internalPort: number;
  readonly leaseSeconds: number;
  readonly label?: string;
}

export interface IgdServiceText {
  readonly type: string;
  readonly controlUrl: string;
}

/** As a router describes itself. */
export function describeIgd(services: readonly IgdServiceText[], more = ""): string {
  const service = ({ type, controlUrl }: IgdServiceText) =>
    `<service><serviceType>${type}</serviceType><serviceId>urn:upnp-org:serviceId:1</serviceId><controlURL>${controlUrl}</controlURL><eventSubURL>/evt</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service>`;
  const device = (kind: string, inside: string) =>
    `<device><deviceType>urn:schemas-upnp-org:device:${kind}:1</deviceType><friendlyName>A &amp; B</friendlyName>${inside}</device>`;
  const list = `<serviceList>${services.map(service).join("\n")}</serviceList>`;
  const inner = device("WANDevice", `<deviceList>${device("WANConnectionDevice", list)}</deviceList>`);
  const root = device("InternetGatewayDevice", `<!-- a home router --><deviceList>${inner}</deviceList>`);
  return `<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">${more}${root}</root>`;
}

export class FakeIgd {
  /** `udp/4000` and so on. */
  readonly mappings = new Map<string, IgdEntry>();
  /** Actions that were asked for, and `GET`s. */
  readonly asked: string[] = [];
  externalAddress = "8.8.4.4";
  uptime = () => "1000";
  description = describeIgd([{ type: "urn:schemas-upnp-org:service:WANIPConnection:1", controlUrl: "/ctl/IPConn" }]);
  /** Gives the fault's code; 0: none. */
  fault: (action: string, entry: { readonly name: string; readonly leaseSeconds: number }) => number = () => 0;
  /** Where it says to be described. */
  location = () => `http://${this.#host}:${this.httpPort}/rootDesc.xml`;
  /** Datagrams that come back for a search. */
  search: () => readonly string[] = () => [
    `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nUSN: uuid:1\r\nEXT:\r\nLOCATION: ${this.location()}\r\n\r\n`,
  ];
  /** Answers instead of it. */
  serve: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly #host: string;
  readonly #socket: Socket = createSocket("udp4");
  #server: Server | undefined;

  private constructor(host: string) {
    this.#host = host;
  }

  static async start(host: string): Promise<FakeIgd> {
    const igd = new FakeIgd(host);
    igd.#socket.on("message", (_, from) => {
      for (const answer of igd.search()) igd.#socket.send(answer, from.port, from.address);
    });
    igd.#socket.bind(0, host);
    await once(igd.#socket, "listening");
    await igd.openHttp();
    return igd;
  }

  get ssdpPort(): number {
    return this.#socket.address().port;
  }
  get httpPort(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? 0;
  }

  /** At a new port. */
  async openHttp(): Promise<void> {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = createServer((request, response) => {
      if (this.serve) return this.serve(request, response);
      void this.#handle(request, response);
    });
    this.#server.listen(0, this.#host);
    await once(this.#server, "listening");
  }

  close(): void {
    this.#socket.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === "GET") {
      this.asked.push("GET");
      response.writeHead(200, XML).end(this.description);
      return;
    }
    const [, type = "", action = ""] = /^"(.*)#(.*)"$/.exec(String(request.headers["soapaction"])) ?? [];
    this.asked.push(action);
    const parsed = parseXml(Buffer.concat(chunks));
    const call = parsed.ok ? parsed.value.children[0]?.children[0] : undefined;
    const done = call && this.#act(action, (name) => textIn(call, name), request);
    if (typeof done === "string")
      response.writeHead(200, XML).end(soap(`<u:${action}Response xmlns:u="${type}">${done}</u:${action}Response>`));
    else response.writeHead(500, XML).end(faultOf(done ?? 501));
  }

  /** What the answer holds, or the fault's code. */
  #act(action: string, field: (name: string) => string, request: IncomingMessage): string | number {
    const name = `${field("NewProtocol").toLowerCase()}/${field("NewExternalPort")}`;
    const leaseSeconds = Number(field("NewLeaseDuration"));
    const fault = this.fault(action, { name, leaseSeconds });
    if (fault !== 0) return fault;
    const entry = this.mappings.get(name);
    switch (action) {
      case "AddPortMapping": {
        const client = field("NewInternalClient");
        if (entry !== undefined && entry.client !== client) return 718;
        if (client !== request.socket.remoteAddress) return 606;
        const label = field("NewPortMappingDescription");
        this.mappings.set(name, { client, internalPort: Number(field("NewInternalPort")), leaseSeconds, label });
        return "";
      }
      case "DeletePortMapping":
        return this.mappings.delete(name) ? "" : 714;
      case "GetSpecificPortMappingEntry":
        if (entry === undefined) return 714;
        return `<NewInternalPort>${entry.internalPort}</NewInternalPort><NewInternalClient>${entry.client}</NewInternalClient>`;
      case "GetGenericPortMappingEntry": {
        const [at, found] = [...this.mappings][Number(field("NewPortMappingIndex"))] ?? [];
        const [protocol = "", external = ""] = at?.split("/") ?? [];
        if (found === undefined) return 713;
        return `<NewExternalPort>${external}</NewExternalPort><NewProtocol>${protocol.toUpperCase()}</NewProtocol><NewInternalClient>${found.client}</NewInternalClient><NewPortMappingDescription>${found.label}</NewPortMappingDescription>`;
      }
      case "GetExternalIPAddress":
        return `<NewExternalIPAddress>${this.externalAddress}</NewExternalIPAddress>`;
      case "GetStatusInfo":
        return `<NewConnectionStatus>Connected</NewConnectionStatus><NewUptime>${this.uptime()}</NewUptime>`;
      default:
        return 401;
    }
  }
}

function textIn(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text ?? "";
}

function soap(inside: string): string {
  return `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inside}</s:Body></s:Envelope>`;
}

function faultOf(code: number): string {
  const error = `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode><errorDescription>No</errorDescription></UPnPError>`;
  return soap(
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>${error}</detail></s:Fault>`,
  );
}
