use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use barewire_core::secure::KEY_LENGTH;

use super::*;

/// A folder with some keys, each of them of its own number.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self, name: &str, number: u8) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = [0x99; KEY_LENGTH];
        bytes[7] = number;
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn client_key(given: Option<&Path>, surroundings: &Surroundings) -> Result<Option<Key>, Failure> {
    let given = given.map(Path::to_owned);
    let found = surroundings.find(given.as_slice())?;
    found.map(|found| Ok(ClientKey::read(found, surroundings)?.key)).transpose()
}

fn server_keys(
    given: &[PathBuf],
    surroundings: &Surroundings,
) -> Result<Option<ServerKeys>, Failure> {
    let found = surroundings.find(given)?;
    found.map(|found| ServerKeys::read(KeyFiles::list(found)?, surroundings)).transpose()
}

fn number(key: &Key) -> u8 {
    key.as_bytes()[7]
}

fn message<T>(result: Result<T, Failure>) -> String {
    let Err(failure) = result else { panic!("it is not refused") };
    failure.message().unwrap().to_owned()
}

#[track_caller]
fn read(given: &[PathBuf]) -> Vec<(u8, String)> {
    let keys = server_keys(given, &Surroundings::default()).unwrap().unwrap();
    let named = |(place, key): (usize, &Key)| (number(key), keys.names()[place].clone());
    keys.keys().iter().enumerate().map(named).collect()
}

#[test]
fn the_option_comes_before_the_variable_and_that_before_the_credential() {
    let folder = Folder::new();
    let [option, variable] = [folder.key("a.key", 1), folder.key("b.key", 2)];
    folder.key("credentials/barewire.key", 3);
    let (key_file, credentials) = (Some(variable), Some(folder.path("credentials")));
    let all = Surroundings { key_file, credentials: credentials.clone() };
    let service = Surroundings { key_file: None, credentials };
    let empty = Surroundings { key_file: None, credentials: Some(folder.path("none")) };
    let chosen = |given: Option<&Path>, surroundings| {
        let client = client_key(given, surroundings).unwrap();
        let given = given.map(Path::to_owned);
        let server = server_keys(given.as_slice(), surroundings).unwrap();
        let server = server.map(|keys| number(&keys.keys()[0]));
        assert_eq!(client.as_ref().map(number), server);
        server
    };
    assert_eq!(chosen(Some(&option), &all), Some(1));
    assert_eq!(chosen(None, &all), Some(2));
    assert_eq!(chosen(None, &service), Some(3));
    assert_eq!(chosen(None, &empty), None);
    assert_eq!(chosen(None, &Surroundings::default()), None);
}

#[test]
fn a_credential_is_the_service_managers_affair_but_has_to_be_a_key() {
    let folder = Folder::new();
    let credential = folder.key("credentials/barewire.key", 3);
    fs::set_permissions(&credential, Permissions::from_mode(0o440)).unwrap();
    let service = Surroundings { key_file: None, credentials: Some(folder.path("credentials")) };
    assert!(client_key(None, &service).unwrap().is_some());
    // So is one of them that is named.
    assert!(client_key(Some(&credential), &service).unwrap().is_some());
    assert!(client_key(Some(&credential), &Surroundings::default()).is_err());
    fs::write(&credential, "short").unwrap();
    let told = message(client_key(None, &service));
    assert!(told.starts_with("CREDENTIALS_DIRECTORY: cannot use the key in "), "{told}");
    assert!(
        told.ends_with(
            "it has 5 bytes, and a key has 32, which are random and no text (--new-key makes one)"
        ),
        "{told}"
    );
}

#[test]
fn keys_have_the_names_of_their_files_and_the_order_in_which_they_were_given() {
    let folder = Folder::new();
    let [ben, anna, other] =
        [folder.key("ben.key", 1), folder.key("anna.key", 2), folder.key("a.b.txt", 3)];
    let named = |number, name: &str| (number, name.to_owned());
    let given = [ben, anna, other];
    assert_eq!(read(&given), [named(1, "ben"), named(2, "anna"), named(3, "a.b.txt")]);
}

#[test]
fn a_folder_stands_for_its_keys_in_the_order_of_their_names() {
    let folder = Folder::new();
    for (name, number) in [("b.key", 2), ("a.key", 1), ("c.key", 3), (".d.key", 4), ("e.key~", 5)] {
        folder.key(&format!("keys/{name}"), number);
    }
    let extra = folder.key("aa.key", 9);
    let read = read(&[folder.path("keys"), extra]);
    let names: Vec<_> = read.iter().map(|(number, name)| (*number, name.as_str())).collect();
    assert_eq!(names, [(1, "a"), (2, "b"), (3, "c"), (9, "aa")]);
    fs::create_dir(folder.path("empty")).unwrap();
    let told = message(server_keys(&[folder.path("empty")], &Surroundings::default()));
    assert!(told.ends_with("no file there ends in .key (--new-key makes one)"), "{told}");
}

#[test]
fn a_key_is_somebodys_own_unless_it_is_the_one_that_was_given() {
    let folder = Folder::new();
    let [ben, anna] = [folder.key("keys/ben.key", 1), folder.key("anna.key", 2)];
    let owners = |given: &[PathBuf]| {
        let keys = server_keys(given, &Surroundings::default()).unwrap().unwrap();
        let owner = |place| keys.owner(place).map(str::to_owned);
        assert_eq!(keys.are_personal(), owner(0).is_some());
        (0..2).map(owner).collect::<Vec<_>>()
    };
    let [ben_owns, anna_owns] = ["ben", "anna"].map(|name| Some(name.to_owned()));
    assert_eq!(owners(std::slice::from_ref(&ben)), [None, None]);
    assert_eq!(owners(&[folder.path("keys")]), [ben_owns.clone(), None]);
    assert_eq!(owners(&[ben, anna]), [ben_owns, anna_owns]);
}

#[test]
fn no_two_keys_are_alike_by_name_or_by_bytes() {
    let folder = Folder::new();
    let [one, alike, same] =
        [folder.key("a/ben.key", 1), folder.key("b/ben.key", 2), folder.key("eva.key", 1)];
    let refused = |other: &Path| {
        let given = [one.clone(), other.to_owned()];
        let told = message(server_keys(&given, &Surroundings::default()));
        let both = format!("--key: {} and {} ", one.display(), other.display());
        told.strip_prefix(&both).unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    assert_eq!(refused(&alike), "are both called 'ben' (rename one)");
    assert_eq!(refused(&same), "are the same key (leave one out)");
    // However it is named, and by whatever name.
    let told = message(server_keys(&[folder.path("b"), alike.clone()], &Surroundings::default()));
    assert_eq!(told, format!("--key: {} is given twice (leave one out)", alike.display()));
    symlink("ben.key", folder.path("a/link.key")).unwrap();
    fs::hard_link(&one, folder.path("hard.key")).unwrap();
    for name in ["b/../a/ben.key", "a/link.key", "hard.key"] {
        assert_eq!(refused(&folder.path(name)), "are the same file (leave one out)", "{name}");
    }
}

#[test]
fn more_keys_than_a_server_tries_are_refused() {
    let folder = Folder::new();
    for number in 0..=MAX_KEYS {
        folder.key(&format!("{number}.key"), u8::try_from(number).unwrap());
    }
    let all = [folder.path("")];
    let told = message(server_keys(&all, &Surroundings::default()));
    assert_eq!(told, "--key: there are 65 keys, and a server has at most 64");
    fs::remove_file(folder.path("64.key")).unwrap();
    assert_eq!(read(&all).len(), MAX_KEYS);
}

#[test]
fn what_is_wrong_with_a_key_is_told_with_what_mends_it() {
    let folder = Folder::new();
    let path = folder.key("my key", 1);
    let told = || {
        let told = message(client_key(Some(&path), &Surroundings::default()));
        let start = format!("--key: cannot use the key in {}: ", path.display());
        told.strip_prefix(&start).unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        told(),
        format!(
            "others can read or change it: its permissions are 644 (chmod 600 '{}' mends that; if \
             somebody may have read it, make a new one by --new-key)",
            path.display()
        )
    );
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, [0; KEY_LENGTH]).unwrap();
    let why = "its bytes are not random, and what can be guessed is no key (--new-key makes one)";
    assert_eq!(told(), why);
    fs::remove_file(&path).unwrap();
    assert_eq!(told(), "no such file or directory (--new-key makes one)");
    fs::create_dir(&path).unwrap();
    assert_eq!(told(), "it is not a regular file (a key is kept in a file of 32 bytes)");
}

#[test]
fn who_has_named_a_key_never_speaks_in_plain_text() {
    let folder = Folder::new();
    let path = |name| Some(folder.path(name));
    fs::create_dir_all(folder.path("credentials")).unwrap();
    symlink("nowhere", folder.path("credentials/barewire.key")).unwrap();
    folder.key("others/ben.key", 1);
    fs::write(folder.path("file"), "").unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    let empty = Some(PathBuf::new());
    let nowhere = "no such file or directory (unset it for plain text)";
    for (key_file, credentials, why) in [
        (empty.clone(), None, "BAREWIRE_KEY_FILE: it is set, and empty, so it names no key"),
        (empty.clone(), path("credentials"), "BAREWIRE_KEY_FILE: it is set, and empty"),
        (None, empty.clone(), "CREDENTIALS_DIRECTORY: it is set, and empty, so it names no key"),
        (None, path("credentials"), "barewire.key: no such file or directory"),
        (None, path("file"), "not a directory"),
        (None, path("none/inner"), nowhere),
        (None, path("none/.."), nowhere),
        (None, path("dangling"), nowhere),
        (None, path("dangling/"), nowhere),
        (None, path("dangling/."), nowhere),
        (None, path("dangling/inner"), nowhere),
        (None, Some("none/inner".into()), nowhere),
        (
            None,
            path("others"),
            "/others/ben.key, but no barewire.key, which is how a key is called",
        ),
    ] {
        let surroundings = Surroundings { key_file, credentials };
        for told in
            [message(client_key(None, &surroundings)), message(server_keys(&[], &surroundings))]
        {
            assert!(told.contains(why), "{told}");
        }
    }
    // What is given is enough.
    let given = folder.path("others/ben.key");
    let surroundings = Surroundings { key_file: empty.clone(), credentials: empty };
    assert!(client_key(Some(&given), &surroundings).unwrap().is_some());
    // Credentials of other programs are none of this one's affair.
    fs::write(folder.path("credentials/password"), "secret").unwrap();
    fs::remove_file(folder.path("credentials/barewire.key")).unwrap();
    let surroundings = Surroundings { key_file: None, credentials: path("credentials") };
    assert!(client_key(None, &surroundings).unwrap().is_none());
}

/// It names a folder, and removes it.
#[test]
fn a_service_without_credentials_speaks_in_plain_text_however_their_folder_is_written() {
    let folder = Folder::new();
    let within = |name: &str| folder.path(name);
    for credentials in [
        within("none"),
        within("none/"),
        within("none/."),
        within("./none"),
        "./no such folder".into(),
        "no such folder".into(),
        "no such folder/".into(),
    ] {
        let surroundings = Surroundings { key_file: None, credentials: Some(credentials.clone()) };
        assert!(client_key(None, &surroundings).unwrap().is_none(), "{}", credentials.display());
    }
}

/// Its permissions are looked at wherever it lies, but in that very folder.
#[test]
fn what_is_a_credential_is_decided_by_where_it_is_and_not_by_its_path() {
    let folder = Folder::new();
    let (outside, credential) = (folder.key("outside.key", 1), folder.key("real/ben.key", 2));
    for key in [&outside, &credential] {
        fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    }
    symlink("real", folder.path("credentials")).unwrap();
    symlink("../outside.key", folder.path("real/link.key")).unwrap();
    let service = Surroundings { key_file: None, credentials: Some(folder.path("credentials")) };
    let read = |name: &str| client_key(Some(&folder.path(name)), &service);
    for name in ["credentials/ben.key", "real/ben.key", "credentials/../real/./ben.key"] {
        assert_eq!(read(name).unwrap().as_ref().map(number), Some(2), "{name}");
    }
    for name in ["credentials/../outside.key", "credentials/link.key", "outside.key"] {
        let told = message(read(name));
        assert!(told.contains("its permissions are 644"), "{name}: {told}");
    }
}

#[test]
fn no_other_option_takes_the_file_of_a_key() {
    let folder = Folder::new();
    let [key, other] = [folder.key("ben.key", 1), folder.key("anna.key", 2)];
    let link = folder.path("link");
    symlink("anna.key", &link).unwrap();
    let hard = folder.path("hard");
    fs::hard_link(&key, &hard).unwrap();
    let files = [key.clone(), other];
    for path in [&key, &link, &hard] {
        let named = [Named::made("--log", None), Named::read("--motd", Some(path.as_path()))];
        let told = message(keep_apart(&files, &[], &named));
        assert_eq!(told, format!("--motd: {} is the file of a key (name another)", path.display()));
    }
    // Nor does one make a file that would be read as a key.
    let keys = [folder.path("")];
    fs::create_dir(folder.path("inner")).unwrap();
    symlink("new.key", folder.path("to-new")).unwrap();
    symlink("../to-new", folder.path("inner/chain")).unwrap();
    let refuse = |folders: &[PathBuf], name: &str| {
        let path = folder.path(name);
        keep_apart(&files, folders, &[Named::made("--log", Some(path.as_path()))])
    };
    for name in ["new.key", "inner/../new.key", "to-new", "inner/chain"] {
        let told = message(refuse(&keys, name));
        assert!(told.starts_with("--log: ") && told.contains("would be read as a key"), "{told}");
        refuse(&[], name).unwrap();
    }
    // What is only read makes no file, and has to be there.
    let motd = folder.path("new.key");
    keep_apart(&files, &keys, &[Named::read("--motd", Some(&motd))]).unwrap();
    // A socket is there already.
    let socket = folder.path("socket.key");
    let _listener = UnixListener::bind(&socket).unwrap();
    let told = message(keep_apart(&files, &keys, &[Named::made("ADDR", Some(&socket))]));
    assert!(told.starts_with("ADDR: ") && told.contains("would be read as a key"), "{told}");
    for name in ["new", ".new.key", "inner/new.key", "new.key~"] {
        refuse(&keys, name).unwrap();
    }
}
