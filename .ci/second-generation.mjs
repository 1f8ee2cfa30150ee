// Lists and calls a tool with the second-generation SDK client, which speaks the
// newest protocol revision. Usage: node second-generation.mjs stdio CMD… | http URL
// Environment: TOOL, ARGS (JSON), EXPECT (text that the result must hold).
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [kind, target, ...rest] = process.argv.slice(2);
const client = new Client({ name: "second-generation", version: "0" }, { versionNegotiation: { mode: "auto" } });
const transport =
  kind === "stdio"
    ? new StdioClientTransport({ command: target, args: rest, stderr: "ignore" })
    : new StreamableHTTPClientTransport(new URL(target));
await client.connect(transport);
const negotiated = client.getNegotiatedProtocolVersion?.();
const { tools } = await client.listTools();
const result = await client.callTool({ name: process.env.TOOL, arguments: JSON.parse(process.env.ARGS) });
console.log(JSON.stringify({ negotiated, tools: tools.length, isError: !!result.isError, text: result.content?.[0]?.text?.slice(0, 120) }));
await client.close();
if (negotiated !== "2026-07-28" || result.isError || !JSON.stringify(result).includes(process.env.EXPECT)) {
  process.exit(1);
}
