// Passes requests on to a server with a bearer added, for clients that cannot
// send one. Usage: node with-bearer.mjs LISTEN_PORT TARGET_PORT BEARER
import http from "node:http";

const [listen, target, bearer] = process.argv.slice(2);
http
  .createServer((request, response) => {
    const headers = [...request.rawHeaders, "Authorization", `Bearer ${bearer}`];
    const onward = http.request({ host: "127.0.0.1", port: target, method: request.method, path: request.url, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  })
  .listen(Number(listen), "127.0.0.1");
