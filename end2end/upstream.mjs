// A provider with the OpenAI API whose behaviour is chosen by the last user message. Tests start it in their own
// process. To start it by hand: node upstream.mjs 4010
//
//   gate NAME    half an answer, then waits for `release(NAME)` before the other half
//   fail 429     this status on the first attempt; `fail 500 always` on every attempt
//   cut          half an answer, then the connection breaks; the whole answer on the next attempt
//   markdown     a table, a task list, code, mathematics, links
//   paragraphs 40   this many paragraphs, quickly
//   slow         one word each 100 ms, for 8 s
//   echo TEXT    only TEXT, a few bytes at a time
//   How far does a ball fall in three seconds?   the answer in the screenshot of the README
//   think        reasoning, then an answer
//   ponder NAME  reasoning for more than a second, then waits for `release(NAME)` before the answer
//   lone         reasoning in the text, with a closing tag but no opening tag, then an answer
//   end REASON   an answer with this finish reason (length, content_filter, …)
//   thoughts     only reasoning, until the token limit
//   whole        the answer as one JSON object instead of a stream
//   reply 400 JSON   this status with this body; `reply 200 …` instead of a stream
//   Write a title   the request of Colloquy for a title: `The title of WORD`, where WORD is the first word of the question
// Any other message is answered with one sentence that repeats it.

import { createServer } from 'node:http';

export const MODELS = ['quick', 'careful'];

const MARKDOWN = `Here is everything at once.

| Model | Speed | Size |
|:--|--:|:-:|
| Small | 160 | 135 M |
| Large | 12 | 70 B |

- [x] Read the question
- [ ] Read it again

\`\`\`rust
fn main() {
    let answer = 6 * 7;
    println!("{answer}");
}
\`\`\`

Mathematics: $a^2 + b^2 = c^2$, and on a line of its own:

$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$

A [link](https://example.org/page), *emphasis*, **strength** and \`code\`.
`;

const FALLING = `In three seconds it falls about **44 metres**, if one leaves the air out of it. The way grows with the
square of the time:

$$s = \\frac{1}{2} g t^2$$

| Time | Way | Speed |
|--:|--:|--:|
| 1 s | 4.9 m | 9.8 m/s |
| 2 s | 19.6 m | 19.6 m/s |
| 3 s | 44.1 m | 29.4 m/s |

To try other times:

\`\`\`python
def way(seconds, g=9.81):
    return g * seconds ** 2 / 2
\`\`\`
`;

/** @typedef {{ text?: string, thought?: string, wait?: number, gate?: string, cut?: boolean }} Step */

/** The reply to a message. `attempt` counts the requests with this message from 1.
 * @param {string} message @param {number} attempt @param {string} model @returns {{ status?: number, body?: object, finish?: string, steps: Step[] }} */
function script(message, attempt, model) {
  const [word, rest] = /^(\S*)\s*([^]*)$/.exec(message)?.slice(1) ?? ['', ''];
  switch (word) {
    case 'gate':
      return { steps: attempt === 1 ? [{ text: `The first half of ${rest}. ` }, { gate: rest }, { text: `The second half of ${rest}.` }] : [{ text: `The second half of ${rest}.` }] };
    case 'fail': {
      const always = rest.includes('always');
      return always || attempt === 1 ? { status: Number.parseInt(rest, 10), steps: [] } : { steps: [{ text: 'This time it went well.' }] };
    }
    case 'cut':
      return { steps: attempt === 1 ? [{ text: 'The answer begins, and th' }, { wait: 50 }, { cut: true }] : [{ text: 'The answer goes on to its end.' }] };
    case 'markdown':
      return { steps: pieces(MARKDOWN, 24) };
    case 'paragraphs':
      return { steps: Array.from({ length: Number.parseInt(rest, 10) }, (_, i) => ({ text: `Paragraph ${i + 1} of a long answer, which is here to be scrolled past.\n\n`, wait: 5 })) };
    case 'slow':
      return { steps: Array.from({ length: 80 }, (_, i) => ({ text: `word${i + 1} `, wait: 100 })) };
    case 'echo':
      return { steps: pieces(rest, 7) };
    case 'ponder':
      return { steps: [{ thought: 'First thing.\n\n' }, { wait: 1200 }, { thought: 'Second thing.' }, { gate: rest }, { text: 'I thought about it.' }] };
    case 'think':
      return { steps: [{ thought: 'Let me see what is asked.' }, { wait: 100 }, { text: 'I thought about it.' }] };
    case 'lone':
      return { steps: [{ text: 'Let me see what is asked. They ' }, { wait: 300 }, { text: 'want an answer.\n</thi' }, { text: 'nk>\n\nHere is the answer.' }] };
    case 'end':
      return { steps: pieces('An answer that is not at its end, because', 7), finish: rest };
    case 'thoughts':
      return { steps: [{ thought: 'Let me see. ' }, { thought: 'And again. ' }], finish: 'length' };
    case 'whole': {
      const message = { role: 'assistant', content: 'The whole answer at once.' };
      return { status: 200, body: { object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }, steps: [] };
    }
    case 'reply': {
      const [status, body] = /^(\d+)\s+([^]*)$/.exec(rest)?.slice(1) ?? ['500', '{}'];
      return { status: Number(status), body: JSON.parse(body), steps: [] };
    }
    case 'Write':
      if (message.startsWith('Write a title of')) {
        return { steps: pieces(`The title of ${/<question>\s*(\S+)/.exec(message)?.[1]}`, 7) };
      }
      return { steps: pieces(`You said: ${message} (${model})`, 6) };
    case 'How':
      if (message.startsWith('How far does a ball fall')) return { steps: pieces(FALLING, 24) };
    // falls through
    default:
      return { steps: pieces(`You said: ${message} (${model})`, 6) };
  }
}

/** @param {string} text @param {number} length @returns {Step[]} */
function pieces(text, length) {
  const letters = [...text];
  return Array.from({ length: Math.ceil(letters.length / length) }, (_, i) => ({ text: letters.slice(i * length, (i + 1) * length).join(''), wait: 5 }));
}

export class Upstream {
  /** @type {Map<string, number>} */ #attempts = new Map();
  /** @type {Map<string, () => void>} */ #gates = new Map();
  /** @type {Set<string>} */ #open = new Set();
  /** Every request, oldest first. @type {any[]} */ requests = [];
  #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });

  /** @param {number} port */
  async listen(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve(undefined)));
    return this;
  }

  get url() {
    const address = this.#server.address();
    if (!address || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}/v1`;
  }

  /** Opens a gate for the answers that wait at it now or later. @param {string} gate */
  release(gate) {
    this.#open.add(gate);
    this.#gates.get(gate)?.();
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async #answer(request, response) {
    if (request.url === '/v1/models') return json(response, 200, { object: 'list', data: MODELS.map((id) => ({ id, object: 'model' })) });
    if (request.url !== '/v1/chat/completions') return json(response, 404, { error: { message: 'no such path' } });
    const body = await read(request);
    this.requests.push(body);
    const message = lastUserMessage(body.messages);
    const attempt = (this.#attempts.get(message) ?? 0) + 1;
    this.#attempts.set(message, attempt);
    const { status, body: reply, finish, steps } = script(message, attempt, body.model);
    if (status) return json(response, status, reply ?? { error: { message: `scripted ${status}`, type: 'scripted' } });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    for (const step of steps) if (!(await this.#take(step, response))) return;
    chunk(response, {}, finish ?? 'stop');
    response.end('data: [DONE]\n\n');
  }

  /** Runs a step. Returns whether to continue. @param {Step} step @param {import('node:http').ServerResponse} response */
  async #take(step, response) {
    if (step.wait) await new Promise((resolve) => setTimeout(resolve, step.wait));
    if (step.gate && !this.#open.has(step.gate)) {
      const gate = step.gate;
      await new Promise((resolve) => {
        this.#gates.set(gate, () => resolve(undefined));
        response.on('close', resolve);
      });
    }
    if (step.cut || response.destroyed) {
      response.destroy();
      return false;
    }
    if (step.thought) chunk(response, { reasoning_content: step.thought });
    if (step.text) chunk(response, { content: step.text });
    return true;
  }
}

/** @param {import('node:http').IncomingMessage} request @returns {Promise<any>} */
async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

/** @param {{ role: string, content: string | { text?: string }[] }[]} messages */
function lastUserMessage(messages) {
  const content = messages.filter((message) => message.role === 'user' && !isContinuation(message)).at(-1)?.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}

/** The server's request to continue an answer ends with a message of its own.
 * @param {any} message */
function isContinuation(message) {
  return typeof message.content === 'string' && message.content.startsWith('Your last answer broke off.');
}

/** @param {import('node:http').ServerResponse} response @param {object} delta @param {string | null} finish */
function chunk(response, delta, finish = null) {
  const data = { id: 'scripted', object: 'chat.completion.chunk', created: 0, model: 'scripted', choices: [{ index: 0, delta, finish_reason: finish }] };
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {object} body */
function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const upstream = await new Upstream().listen(Number(process.argv[2] ?? 0));
  console.log(upstream.url);
}
