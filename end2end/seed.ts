// Inserts many rows into the SQLite database of a running server, faster than through the browser.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Colloquy } from './colloquy.ts';

export interface SeededChat {
  title: string;
  /** The number of messages, alternately from the user and the model. */
  messages: number;
}

const INSERT_CHATS = `
import json, sqlite3, sys, time, uuid
order = json.load(sys.stdin)
db = sqlite3.connect(order["file"], timeout=10)
(owner,) = db.execute("select id from users where email_key = ?", [order["email"]]).fetchone()
now = int(time.time() * 1_000_000)
paths = []
for index, chat in enumerate(order["chats"]):
    made = now - (index + 1) * 60_000_000
    id = uuid.UUID(int=(made // 1000 << 80) | 7 << 76 | 2 << 62 | index)
    count = chat["messages"]
    db.execute(
        "insert into chats (id, owner_id, title, title_key, model, last_words, created_at, active_at, head_id, pinned, archived)"
        " values (?, ?, ?, ?, 'scripted/quick', ?, ?, ?, ?, 0, 0)",
        [id.bytes, owner, chat["title"], chat["title"].lower(), f"Message {count}", made, made, None])
    parent = None
    for position in range(1, count + 1):
        said = "user" if position % 2 else "assistant"
        message = uuid.uuid4().bytes
        db.execute(
            "insert into messages (id, chat_id, owner_id, parent_id, depth, author, state, model, model_label, left_out,"
            " prompt_tokens, answer_tokens, created_at) values (?, ?, ?, ?, ?, ?, 'complete', ?, ?, 0, 0, 0, ?)",
            [message, id.bytes, owner, parent, position - 1, said,
             None if said == "user" else "scripted/quick", None if said == "user" else "quick", made + position])
        db.execute("insert into message_parts (message_id, position, kind, text) values (?, 1, 'text', ?)",
                   [message, f"Message {position} of {count}."])
        parent = message
    db.execute("update chats set head_id = ? where id = ?", [parent, id.bytes])
    paths.append(f"/chats/{id}")
db.commit()
print(json.dumps(paths))
`;

/** Inserts chats for the user with this address, newest first. Returns their paths. */
export function seedChats(colloquy: Colloquy, email: string, chats: SeededChat[]): string[] {
  const input = JSON.stringify({ file: join(colloquy.data, 'colloquy.db'), email, chats });
  return JSON.parse(execFileSync('python3', ['-c', INSERT_CHATS], { input, encoding: 'utf8' }));
}

export interface SeededJob {
  kind: string;
  state: 'waiting' | 'failed';
  error: string;
  attempts: number;
  /** The recipient, for mails only. */
  recipient?: string;
}

const INSERT_JOBS = `
import json, sqlite3, sys, time, uuid
order = json.load(sys.stdin)
db = sqlite3.connect(order["file"], timeout=10)
now = int(time.time() * 1_000_000)
for job in order["jobs"]:
    id = uuid.uuid4().bytes
    made = now - 3_600_000_000
    if job["kind"] == "send_mail":
        db.execute(
            "insert into mails (id, recipient, subject, text, html, created_at) values (?, ?, 'Hello', '', '', ?)",
            [id, job["recipient"], made])
    run_at = now + 1_800_000_000 if job["state"] == "waiting" else now - 600_000_000
    db.execute(
        "insert into jobs (kind, subject_id, state, run_at, attempts, last_error, created_at) values (?, ?, ?, ?, ?, ?, ?)",
        [job["kind"], id, job["state"], run_at, job["attempts"], job["error"], made])
db.commit()
`;

/** Inserts failed jobs: permanently failed, or waiting for their next attempt in half an hour. */
export function seedJobs(colloquy: Colloquy, jobs: SeededJob[]): void {
  const input = JSON.stringify({ file: join(colloquy.data, 'colloquy.db'), jobs });
  execFileSync('python3', ['-c', INSERT_JOBS], { input });
}
