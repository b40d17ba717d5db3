use tempfile::TempDir;

use super::*;

/// What the words behind the address come to: the names asked for, or why not.
fn read(options: &[&str]) -> Result<Vec<String>, String> {
    let words = ["file-client", "server:1"].iter().chain(options);
    let client = FileClientProgram::try_parse_from(words).map_err(|error| error.to_string())?;
    let (_, names) = Destination::read_first(&client.words).unwrap();
    let transfers = client.stream().and_then(|stream| {
        client.check(names, stream.as_ref())?;
        client.transfers(names, stream)
    });
    match transfers {
        Ok(transfers) => Ok(transfers.into_iter().map(|transfer| transfer.name).collect()),
        Err(failure) => Err(failure.message().unwrap_or_default().to_owned()),
    }
}

#[track_caller]
fn refuses(options: &[&str], why: &str) {
    let refused = read(options).unwrap_err();
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn each_name_is_one_thing_to_do() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path().to_str().unwrap();
    assert_eq!(read(&["a/x", "y", "-d", folder]), Ok(vec!["a/x".into(), "y".into()]));
    assert_eq!(read(&["-r", "y/", "x", "-d", folder]), Ok(vec!["y/".into(), "x".into()]));
    assert_eq!(read(&["-r", ".", "-d", folder]), Ok(vec![".".into()]));
    assert_eq!(read(&["-l", "x", "x"]), Ok(vec!["x".into(), "x".into()]));
    assert_eq!(read(&["x", "-o", "-"]), Ok(vec!["x".into()]));
    assert_eq!(read(&["x", "-o", &format!("{folder}/y")]), Ok(vec!["x".into()]));
}

#[test]
fn what_makes_no_sense_together_is_refused_with_the_reason() {
    refuses(&["x", "y", "-o", "z"], "overwrite each other");
    refuses(&["x", "-r", "-o", "z"], "cannot be used with");
    refuses(&["x", "-r", "--plain"], "cannot be used with");
    refuses(&["-l", "--plain"], "cannot be used with");
    refuses(&["x", "--json", "-o", "-"], "mixed up");
    refuses(&["a/x", "b/x"], "both be written as 'x'");
    refuses(&["."], "names no file");
    refuses(&["-r", "x", "."], "ask for `.` alone");
    refuses(&["a/.."], "names no file");
    refuses(&["-r", ".."], "names no file");
    refuses(&["x", "-o", "a/"], "names no file");
    refuses(&["x", "-o", "/"], "names no file");
    refuses(&["x", "-d", "/nonexistent/folder"], "create it first");
}
