// A Colloquy server for tests: the built program on a free port, with a temporary data folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Upstream } from './upstream.mjs';

/** The folder that `scripts/build` printed. */
function bundle(): string {
  const folder = process.env.BUNDLE;
  if (!folder) throw new Error('BUNDLE is not set. Run the browser tests with: scripts/test browser');
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (!address || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

export class Colloquy {
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(
    readonly port: number,
    readonly data: string,
    readonly upstream: Upstream,
    readonly settings: Record<string, string>,
  ) {}

  /** Starts a server with the scripted upstream as the provider `scripted`. `settings` are more environment variables. */
  static async start(settings: Record<string, string> = {}): Promise<Colloquy> {
    const data = await mkdtemp(join(tmpdir(), 'colloquy-e2e-'));
    const colloquy = new Colloquy(await freePort(), data, await new Upstream().listen(), settings);
    await colloquy.launch();
    return colloquy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The program's log so far. */
  get log(): string {
    return this.#log;
  }

  /** Starts the program on the same port and data, and waits until it is ready. */
  async launch(): Promise<void> {
    const child = spawn(join(bundle(), 'colloquy'), [], {
      // So that it does not read a developer's configuration file.
      cwd: this.data,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        LEPTOS_SITE_ROOT: join(bundle(), 'site'),
        COLLOQUY_LISTEN: `127.0.0.1:${this.port}`,
        COLLOQUY_DATA: this.data,
        COLLOQUY_SIGN_UP: 'open',
        COLLOQUY_TRUSTED_PROXIES: '127.0.0.1',
        COLLOQUY_DEFAULT_MODEL: 'scripted/quick',
        // Only the tests of titles want one more request for each chat.
        COLLOQUY_TITLES: 'first-words',
        COLLOQUY_PROVIDERS__SCRIPTED__BASE_URL: this.upstream.url,
        ...this.settings,
      },
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (this.#log += part));
    const gone = once(child, 'exit').then(([code]) => {
      if (this.#process === child) this.#process = undefined;
      return code;
    });
    for (let tries = 0; tries < 400; tries++) {
      if (this.#process !== child) throw new Error(`Colloquy ended with ${await gone}:\n${this.#log}`);
      if (await fetch(`${this.url}/health/ready`).then((answer) => answer.ok, () => false)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`Colloquy did not get ready:\n${this.#log}`);
  }

  /** Sends the program a signal and waits until it has exited. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Kills the program, closes the upstream and removes the data. */
  async dispose(): Promise<void> {
    await this.stop('SIGKILL');
    await this.upstream.close();
    await rm(this.data, { recursive: true, force: true });
  }
}
