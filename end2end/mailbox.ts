// A local mail server that stores the mails it receives.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

export class Mailbox {
  #mails: Mail[] = [];
  #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      this.#store(stream, recipients).then(() => done(), done);
    },
  });

  static async start(): Promise<Mailbox> {
    const mailbox = new Mailbox();
    mailbox.#server.listen(0, '127.0.0.1');
    await once(mailbox.#server.server, 'listening');
    return mailbox;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  async #store(stream: Readable, recipients: string[]): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    const { subject = '', text = '', html = '' } = await PostalMime.parse(Buffer.concat(parts));
    for (const to of recipients) this.#mails.push({ to, subject, text, html });
  }

  /** Waits up to 10 s for a mail to this address with this text in its subject, and returns the newest. */
  async waitForMail(to: string, subject: string): Promise<Mail> {
    for (let tries = 0; tries < 200; tries++) {
      const mail = this.#mails.findLast((mail) => mail.to === to && mail.subject.includes(subject));
      if (mail) return mail;
      await new Promise((done) => setTimeout(done, 50));
    }
    const there = this.#mails.map((mail) => `${mail.to}: ${mail.subject}`).join('\n');
    throw new Error(`No mail "${subject}" to ${to} arrived. Received:\n${there}`);
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

/** The path and query of the first link in a mail. */
export function linkPath(mail: Mail): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0];
  if (!link) throw new Error(`There is no link in: ${mail.text}`);
  const { pathname, search } = new URL(link);
  return pathname + search;
}
