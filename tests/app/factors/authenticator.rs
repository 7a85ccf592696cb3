//! A simulated passkey authenticator.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_ecdsa_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Keys of these tests, each with its public point.
const KEYS: [(&str, &str); 2] = [
    (
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKx0nbIl90YiEn5eekhz+D/eQ+bm1J34g3ZW4AZC0zBGhRANCAARvXf0lwjJTiKAwGGTCtrcIe5H8BUjBwyCUuudsOuD7qCi1RbTMfE788OsarewBLGEeGmt9neuRR4lqlnM7ls1y",
        "b139JcIyU4igMBhkwra3CHuR/AVIwcMglLrnbDrg+6gotUW0zHxO/PDrGq3sASxhHhprfZ3rkUeJapZzO5bNcg==",
    ),
    (
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0uQSYSYzjXlrUYhUrsorFns2bMyo4TfgvgCpWDul1DihRANCAARwBMQUy6Ksn9wxIRVwXhwcTGoQ+Oy84aGNrYzFACvAQBU0nrHP59hMhUunlBBqVOIKjzu1zwwZPNWY0m8T1y6C",
        "cATEFMuirJ/cMSEVcF4cHExqEPjsvOGhja2MxQArwEAVNJ6xz+fYTIVLp5QQalTiCo87tc8MGTzVmNJvE9cugg==",
    ),
];

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const NEW_CREDENTIAL: u8 = 0x40;

/// A device with one passkey.
#[derive(Clone)]
pub struct Authenticator {
    /// The index of its key in `KEYS`.
    pub key: usize,
    /// The credential's id.
    pub id: Vec<u8>,
    /// The user handle that the server sent at registration.
    pub user: Option<String>,
    /// The signature counter.
    pub counter: u32,
    /// Whether the passkey is backed up.
    pub backed_up: bool,
    /// Whether it verifies the user.
    pub verifies: bool,
    /// The origin of the page.
    pub origin: &'static str,
}

impl Authenticator {
    pub fn new(key: usize) -> Self {
        let id = format!("credential number {key}").into_bytes();
        let origin = "http://localhost:3000";
        Self { key, id, user: None, counter: 1, backed_up: false, verifies: true, origin }
    }

    fn flags(&self) -> u8 {
        let verified = if self.verifies { VERIFIED } else { 0 };
        PRESENT | verified | BACKUP_ELIGIBLE | if self.backed_up { BACKED_UP } else { 0 }
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        [Sha256::digest(b"localhost").as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["publicKey"]["challenge"].as_str().expect("a challenge");
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false }).to_string()
    }

    /// The result of `navigator.credentials.create` for these options.
    pub fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).expect("options");
        assert_eq!(options["publicKey"]["rp"]["id"], "localhost");
        self.user = options["publicKey"]["user"]["id"].as_str().map(str::to_owned);
        let point = STANDARD.decode(KEYS[self.key].1).expect("a point");
        let mut data = self.data(self.flags() | NEW_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        data.extend(&self.id);
        // The public key as CBOR: key type EC2, algorithm ES256, curve P-256, x, y.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[..32]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[32..]);
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", &options);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "response": { "attestationObject": text(&object), "clientDataJSON": text(client_data.as_bytes()) },
        })
        .to_string()
    }

    /// The result of `navigator.credentials.get` for these options.
    pub fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).expect("options");
        self.counter += 1;
        let data = self.data(self.flags());
        let client_data = self.client_data("webauthn.get", &options);
        let signed = [data.as_slice(), &Sha256::digest(client_data.as_bytes())].concat();
        let der = STANDARD.decode(KEYS[self.key].0).expect("a key");
        let key = any_ecdsa_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der))).expect("a key");
        let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).expect("a scheme");
        let signature = signer.sign(&signed).expect("a signature");
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "response": {
                "authenticatorData": text(&data),
                "clientDataJSON": text(client_data.as_bytes()),
                "signature": text(&signature),
                "userHandle": self.user,
            },
        })
        .to_string()
    }
}
