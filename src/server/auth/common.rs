//! Passwords that are guessed first: the common and breached ones, and those made of the person's own words.
//!
//! The list is `common_passwords.bin`, made by `scripts/common-passwords`: 112,130 passwords of 10 characters and more, the
//! first 5 bytes of the SHA-256 of each in lower case, sorted. Another password has one of these prefixes in one case of
//! ten million.

use sha2::{Digest, Sha256};

/// Bytes of an entry.
const ENTRY: usize = 5;
/// The shortest entry in characters.
const SHORTEST: usize = 10;
/// The most characters around an entry that do not make it another password.
const AROUND: usize = 6;
/// Letters and digits that must be left of a password without the person's own words.
const LEFT: usize = 8;
/// Words of an address or a name that are shorter are no words of anybody's own.
const OWN_WORD: usize = 3;

static LIST: &[u8] = include_bytes!("common_passwords.bin");

/// Whether a password is in the list, in this spelling or in a near one: another case, signs or digits around it, digits
/// and signs instead of letters, backwards.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let word = lower.trim_matches(|c: char| !c.is_alphabetic());
    let around = lower.chars().count() - word.chars().count();
    let word = if around <= AROUND { word } else { bare };
    [lower.as_str(), bare, word].iter().any(|spelling| {
        [spelling.to_string(), spelled_out(spelling, 'i'), spelled_out(spelling, 'l'), spelling.chars().rev().collect()]
            .iter()
            .any(|spelling| is_listed(spelling))
    })
}

/// Whether little is left of a password without the name of this program and the words of the person's name and address.
pub(super) fn is_made_of_own_words(password: &str, email: &str, name: &str) -> bool {
    ['i', 'l'].into_iter().any(|one| {
        let plain = |text: &str| -> String {
            spelled_out(&text.to_lowercase(), one).chars().filter(|c| c.is_alphanumeric()).collect()
        };
        let (local, domain) = email.split_once('@').unwrap_or((email, ""));
        let domain = domain.rsplit_once('.').map_or(domain, |(labels, _)| labels);
        let mut words = vec![plain("colloquy"), plain(email), plain(local), plain(name)];
        words.extend(local.split(|c: char| !c.is_alphanumeric()).map(plain));
        words.extend(domain.split('.').map(plain));
        words.extend(name.split(|c: char| !c.is_alphanumeric()).map(plain));
        words.retain(|word| word.chars().count() >= OWN_WORD);
        // The longest first, so that a word within another one does not leave pieces of it.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let whole = plain(password);
        let rest = words.iter().fold(whole.clone(), |rest, word| rest.replace(word.as_str(), ""));
        rest != whole && rest.chars().count() < LEFT
    })
}

fn is_listed(spelling: &str) -> bool {
    if spelling.chars().count() < SHORTEST {
        return false;
    }
    let digest = Sha256::digest(spelling);
    LIST.as_chunks::<ENTRY>().0.binary_search_by(|entry| entry.as_slice().cmp(&digest[..ENTRY])).is_ok()
}

/// The text with letters instead of what people write for them; `one` is the letter that a 1 stands for.
fn spelled_out(text: &str, one: char) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '2' => 'z',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a04_the_list_is_sorted_large_and_small() {
        let (entries, rest) = LIST.as_chunks::<ENTRY>();
        assert!(rest.is_empty() && entries.is_sorted() && entries.len() > 100_000 && LIST.len() < 1_000_000);
        let mut same = entries.to_vec();
        same.dedup();
        assert_eq!(same.len(), entries.len());
    }

    #[test]
    fn a04_fifty_of_the_list_are_refused_in_many_spellings() {
        let listed = "123qweasdzxc 1qaz2wsx3edc q1w2e3r4t5y6 mailcreated5240 qazwsxedcrfv qwerty123456 sojdlg123aljg \
            motherfucker polniypizdec0211 leavemealone gfhjkmgfhjkm qazwsxedc123 ghjcnjgfhjkm ghhh47hj7649 sonyericsson \
            1qazxsw23edc qwerasdfzxcv 123456789987654321 websolutions chickenwing101 unbelievable flvbybcnhfnjh \
            ghbdtnrfrltkf finalfantasy contortionist newproject2004 justinbieber businessbabe administrator needforspeed \
            scandinavian maurolarastefy domainlock2005 momsanaladventure hd764nw5d7e1vb1 supernatural counterstrike \
            professional admin18533362 23176djivanfros whosyourdaddy vanyarespekt devilmaycry4 combat123654 jamesbond007 \
            iseedeadpeople 4815162342lost installdevic ingodwetrust ticketmaster";
        let listed: Vec<&str> = listed.split_whitespace().collect();
        assert_eq!(listed.len(), 50);
        for word in listed {
            let backwards: String = word.chars().rev().collect();
            for spelling in
                [word.to_owned(), word.to_uppercase(), format!("!!{word}??"), format!("({word})."), backwards]
            {
                assert!(is_common(&spelling), "{spelling}");
            }
        }
        for spelling in [
            "Superman-Batman",
            "Un8el1evable",
            "unbelievable2024!",
            "77F1nalF@ntasy77",
            "$up3rn4tural",
            "Adm1n1strator",
        ] {
            assert_eq!(is_common(spelling), spelling != "Superman-Batman", "{spelling}");
        }
    }

    #[test]
    fn a04_other_passwords_are_not_in_the_list() {
        for number in 0..20_000_u32 {
            let digest = Sha256::digest(number.to_be_bytes());
            let password: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!is_common(&password), "{password}");
        }
    }

    #[test]
    fn a04_own_words_do_not_make_a_password() {
        let own = |password: &str| is_made_of_own_words(password, "grace.hopper@navy.example.org", "Grace Hopper");
        for bad in [
            "gracehopper1906",
            "Hopper-Grace-1!",
            "gr4c3h0pp3r!!!",
            "GRACE.HOPPER@navy",
            "hoppernavy2024",
            "colloquy-2024!",
            "c0ll0quyc0ll0quy",
            "ColloquyHopper1",
            "grace.hopper@navy.example.org",
        ] {
            assert!(own(bad), "{bad}");
        }
        for good in ["plum-harbor-sextant-41", "a graceful lighthouse", "colloquy needs better words"] {
            assert!(!own(good), "{good}");
        }
        assert!(!is_made_of_own_words("plum-harbor-sextant-41", "", ""));
        assert!(!is_made_of_own_words("plum-harbor-sextant-41", "p@h.de", "Al"));
    }
}
