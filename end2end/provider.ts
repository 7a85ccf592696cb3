// A local OpenID provider: the certified `oidc-provider` with its own sign-in pages. The login "vera" has the verified
// address vera@example.org; the address of "unverified-…" is not verified.
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { Provider } from 'oidc-provider';

const CLIENT = { client_id: 'colloquy', client_secret: 'a secret of the tests, 0123456789' };

export class IdentityProvider {
  #handler: RequestListener = (_request, response) => response.writeHead(503).end();
  #server = createServer((request, response) => this.#handler(request, response));

  /** Starts on a free port. The provider answers 503 until `registerClient` is called. */
  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The settings of a Colloquy server that offers this provider as "The house". */
  get settings(): Record<string, string> {
    const prefix = 'COLLOQUY_IDENTITY_PROVIDERS__HOUSE__';
    return {
      [`${prefix}LABEL`]: 'The house',
      [`${prefix}ISSUER`]: this.issuer,
      [`${prefix}CLIENT_ID`]: CLIENT.client_id,
      [`${prefix}CLIENT_SECRET`]: CLIENT.client_secret,
    };
  }

  /** Registers the Colloquy server at this address as the client. */
  registerClient(url: string): void {
    const provider = new Provider(this.issuer, {
      clients: [{ ...CLIENT, redirect_uris: [`${url}/auth/house/callback`], response_types: ['code'], grant_types: ['authorization_code'] }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      // The ID token contains the claims of the scopes, as with the large providers.
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      cookies: { keys: ['a key of the tests'] },
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({
          sub: id,
          email: `${id}@example.org`,
          email_verified: !id.startsWith('unverified'),
          name: id.charAt(0).toUpperCase() + id.slice(1),
        }),
      }),
    });
    this.#handler = provider.callback();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

/** Signs in on the provider's pages and gives consent. */
export async function signInAtProvider(page: Page, login: string): Promise<void> {
  const field = page.getByPlaceholder('Enter any login');
  const consent = page.getByRole('button', { name: 'Continue' });
  await field.or(consent).first().waitFor();
  if (await field.isVisible()) {
    await field.fill(login);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
  }
  await consent.click();
}
