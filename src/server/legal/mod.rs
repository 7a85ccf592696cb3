//! The texts of the legal pages: the operator's files, or the defaults from `locales/`.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use crate::{
    domain::{AppError, LegalPage},
    i18n::Language,
    server::{config::Config, fault::Fault, markdown::render_page},
};

/// The maximum size of a file, in bytes.
pub const MAX_LEGAL_BYTES: u64 = 256 * 1_024;

/// Returns the text of a page as HTML. The file is read on every request, so that changes are visible immediately. The
/// operator's file is used for every language.
///
/// # Errors
/// `Unavailable` if the operator's file exists but cannot be shown: the default text would not be the operator's.
pub async fn load_legal(config: &Config, language: Language, page: LegalPage) -> Result<String, Fault> {
    let name = match page {
        LegalPage::Privacy => "privacy",
        LegalPage::Terms => "terms",
    };
    let path = config.data.join("pages").join(format!("{name}.md"));
    let standard = format!("{}{}", language.document(name).unwrap_or_default(), operator(config, language));
    let html = move |text: &str| language.texts().fill_references(render_page(text).into()).into_owned();
    tokio::task::spawn_blocking(move || match read(&path) {
        Ok(text) => Ok(html(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(html(&standard)),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "cannot read the text of a legal page");
            Err(AppError::unavailable(reason!("legal_unreadable")).into())
        }
    })
    .await?
}

fn read(path: &Path) -> io::Result<String> {
    // Reading a named pipe would block.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    let length = File::open(path)?.take(MAX_LEGAL_BYTES + 1).read_to_string(&mut text)? as u64;
    if length > MAX_LEGAL_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is longer than 256 KB"));
    }
    Ok(text)
}

/// The section that names the operator, as far as configured.
fn operator(config: &Config, language: Language) -> String {
    let texts = language.texts();
    let name = config.operator_name.as_deref();
    let contact = config.operator_contact.as_deref();
    let who = match (name, contact) {
        (Some(name), Some(contact)) => {
            t!(in texts, "auth.operator.name_and_contact", name = name, contact = contact)
        }
        (Some(name), None) => t!(in texts, "auth.operator.name", name = name),
        (None, Some(contact)) => t!(in texts, "auth.operator.contact", contact = contact),
        (None, None) => t!(in texts, "auth.operator.unknown").to_owned(),
    };
    format!("\n## {}\n\n{who}\n", t!(in texts, "auth.operator.heading"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sorted links of a text, and the number of its sections.
    fn outline(text: &str) -> (Vec<&str>, usize) {
        let mut links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        links.sort_unstable();
        (links, text.matches("\n## ").count())
    }

    #[test]
    fn legal_texts_are_the_same_in_every_language() {
        for name in ["privacy", "terms"] {
            let text = |language: Language| language.document(name).expect("a text");
            for language in Language::all() {
                let found = outline(text(language));
                assert_eq!(found, outline(text(Language::default())), "{name} in {}", language.tag());
            }
        }
    }
}
