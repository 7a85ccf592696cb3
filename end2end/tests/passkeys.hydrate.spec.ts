import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { waitForHydration } from '../hydration.ts';

/** Adds a virtual authenticator that confirms automatically. */
async function device(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** What browsers and password managers omit from a passkey, or break. Each function runs in the page before its scripts. */
const managers: Record<string, () => void> = {
  'as browsers do': () => undefined,
  'toJSON throws': () => {
    PublicKeyCredential.prototype.toJSON = () => {
      throw new TypeError('Illegal invocation');
    };
  },
  'toJSON gives nothing useful': () => {
    Reflect.set(PublicKeyCredential.prototype, 'toJSON', () => ({}));
  },
  'no JSON forms and no extras': () => {
    for (const name of ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON']) {
      Reflect.deleteProperty(PublicKeyCredential, name);
    }
    for (const name of ['toJSON', 'getClientExtensionResults', 'authenticatorAttachment']) {
      Reflect.deleteProperty(PublicKeyCredential.prototype, name);
    }
    Reflect.deleteProperty(AuthenticatorAttestationResponse.prototype, 'getTransports');
  },
  'an object of its own with views of buffers': () => {
    const view = (buffer: ArrayBuffer | null): DataView | null => {
      if (!buffer) return null;
      const wide = new Uint8Array(buffer.byteLength + 7);
      wide.set(new Uint8Array(buffer), 3);
      return new DataView(wide.buffer, 3, buffer.byteLength);
    };
    const own = (given: Credential | null): Credential | null => {
      if (!(given instanceof PublicKeyCredential)) return given;
      const response: Record<string, unknown> = {};
      for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
        const bytes: unknown = Reflect.get(given.response, name);
        if (bytes instanceof ArrayBuffer) response[name] = view(bytes);
      }
      const rawId = new Uint8Array(given.rawId);
      return { id: given.id, type: given.type, rawId, authenticatorAttachment: null, response } as unknown as Credential;
    };
    const { create, get } = CredentialsContainer.prototype;
    CredentialsContainer.prototype.create = async function (options) {
      return own(await create.call(this, options));
    };
    CredentialsContainer.prototype.get = async function (options) {
      return own(await get.call(this, options));
    };
  },
};

/** Whether to sign in by the e-mail field's autofill or by the button. The device would answer both at the same time, which no user does. */
const ways: Record<string, () => void> = {
  'the field': () => undefined,
  'the button': () => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  },
};

const cases = Object.entries(managers).flatMap(([manager, prepare]) =>
  Object.entries(ways).map(([way, choose]) => ({ manager, prepare, way, choose })),
);

for (const [number, { manager, prepare, way, choose }] of cases.entries()) {
  test(`a passkey is added and signs in by ${way} with nothing else (${manager})`, async ({ colloquy, page, accounts, settings, pageErrors, expectAccessible }) => {
    await page.addInitScript(prepare);
    await page.addInitScript(choose);
    // Passkeys are bound to host names, not to IP addresses.
    const local = `http://localhost:${colloquy.port}`;
    pageErrors.allow(/foreign host: http:\/\/localhost/);
    await device(page);
    const email = `passkey-${Date.now()}-${number}@example.org`;
    await page.goto(`${local}/sign-up`);
    await waitForHydration(page, true);
    await accounts.fillSignUp({ name: 'Petra', email, password: 'four wet boats row 97' });
    await accounts.expectSignedIn();
    await page.goto(`${local}/settings/security`);
    await waitForHydration(page, true);
    const section = settings.section('Passkeys');
    await section.getByLabel('Passkey name').fill('My laptop');
    await section.getByRole('button', { name: 'Add passkey' }).click();
    await expect(section.getByRole('listitem').filter({ hasText: 'My laptop' })).toHaveCount(1);
    // The codes are where the passkey was added, and the field is ready for another one.
    await expect(section.getByRole('group', { name: 'Save your recovery codes' }).getByRole('listitem')).toHaveCount(10);
    await expect(section.getByRole('heading', { name: 'Save your recovery codes' })).toBeFocused();
    await expect(section.getByLabel('Passkey name')).toHaveValue('');
    await expectAccessible();

    if (way === 'the field') {
      // The device answers as soon as it is asked, which the page does once it has its scripts.
      const signedIn = page.waitForResponse((response) => response.url().endsWith('/api/finish_passkey_sign_in'));
      await accounts.signOut();
      await accounts.email.focus();
      expect((await signedIn).ok()).toBe(true);
    } else {
      await accounts.signOut();
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    }
    await accounts.expectSignedIn();
  });
}
