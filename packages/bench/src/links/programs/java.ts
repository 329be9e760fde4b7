import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, freePort, type Neighbour, whenReady } from '../neighbours.ts';
import { newestJava } from './available.ts';

/** What runs a request: a pool's thread, one that hands its call to another pool, a virtual thread. */
export type JavaThreads = 'pool' | 'handoff' | 'virtual';

/** The JDK's own server and client. `java FILE` compiles it first, which takes seconds. */
const PROGRAM = `
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class LinkService {
  static ExecutorService pool(String threads) throws Exception {
    if (!threads.equals("virtual")) return Executors.newFixedThreadPool(64);
    // By name, so that older compilers take the file too.
    return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    String next = "http://127.0.0.1:" + args[1];
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    ExecutorService callers = args[2].equals("handoff") ? Executors.newFixedThreadPool(64) : null;
    HttpServer server = HttpServer.create(
        new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 1024);
    server.setExecutor(pool(args[2]));
    server.createContext("/", exchange -> {
      String id = exchange.getRequestURI().getPath().split("/")[2];
      HttpRequest request = HttpRequest.newBuilder(URI.create(next + "/c/" + id + "/0")).build();
      try {
        if (callers == null) client.send(request, HttpResponse.BodyHandlers.discarding());
        else callers.submit(() -> client.send(request, HttpResponse.BodyHandlers.discarding())).get();
        exchange.sendResponseHeaders(200, 2);
        exchange.getResponseBody().write(new byte[] {'o', 'k'});
      } catch (Exception cause) {
        exchange.sendResponseHeaders(502, -1);
      }
      exchange.close();
    });
    server.start();
  }
}
`;

export async function startJavaService(next: number, threads: JavaThreads): Promise<Neighbour> {
  const java = newestJava();
  if (java === undefined) throw new Error('no JDK; fix: apt install openjdk-17-jdk-headless');
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-java-'));
  const file = join(folder, 'LinkService.java');
  writeFileSync(file, PROGRAM);
  const port = await freePort();
  const args = ['-Xmx256m', file, String(port), String(next), threads];
  const child = spawn(java.command, args, { stdio: 'ignore' });
  return whenReady(child, port, 'java', async () => {
    await ended(child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });
}
