//! The texts of the legal pages: the operator's files, or those built in where there are none.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use crate::{
    domain::{AppError, LegalPage},
    server::{config::Config, fault::Fault, markdown::render},
};

/// The longest file that is read, in bytes.
pub const LEGAL_BYTES: u64 = 256 * 1_024;

const PRIVACY: &str = include_str!("privacy.md");
const TERMS: &str = include_str!("terms.md");

/// The text of a page as HTML. It is read anew each time, so that the operator sees at once what they wrote.
///
/// # Errors
/// `Unavailable` where there is a file that cannot be shown: another text in its place would not be the operator's.
pub async fn load_legal(config: &Config, page: LegalPage) -> Result<String, Fault> {
    let (file, built_in) = match page {
        LegalPage::Privacy => ("privacy.md", PRIVACY),
        LegalPage::Terms => ("terms.md", TERMS),
    };
    let path = config.data.join("pages").join(file);
    let standard = format!("{built_in}{}", operator(config));
    tokio::task::spawn_blocking(move || match read(&path) {
        Ok(text) => Ok(render(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(render(&standard)),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the text of a legal page cannot be shown");
            Err(AppError::unavailable(
                "The text of this page cannot be read. Please tell whoever runs this installation.",
            )
            .into())
        }
    })
    .await?
}

fn read(path: &Path) -> io::Result<String> {
    // A pipe would be waited for without end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    let length = File::open(path)?.take(LEGAL_BYTES + 1).read_to_string(&mut text)? as u64;
    if length > LEGAL_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is longer than 256 KB"));
    }
    Ok(text)
}

/// Who runs this installation, as far as they say so.
fn operator(config: &Config) -> String {
    let name = config.operator_name.as_deref();
    let contact = config.operator_contact.as_deref();
    let who = match (name, contact) {
        (Some(name), Some(contact)) => format!("This installation is run by {name}. Contact: {contact}"),
        (Some(name), None) => format!("This installation is run by {name}."),
        (None, Some(contact)) => format!("Whoever runs this installation can be reached here: {contact}"),
        (None, None) => "Ask whoever gave you this address: they run this installation or know who does.".to_owned(),
    };
    format!("\n## Who runs this installation\n\n{who}\n")
}
