//! Tests of what goes before what, of masking, and of the template.

use super::*;

fn layer(profile: Option<Profile>, server: Option<&str>) -> Layer {
    Layer { profile, server: server.map(str::to_owned), ..nothing() }
}

fn shown<'l>(loaded: &'l Loaded, name: &str) -> &'l Shown {
    loaded.shown.iter().find(|shown| shown.name == name).unwrap()
}

#[test]
fn flags_go_before_the_environment_before_the_file_before_defaults() {
    let flags = layer(None, Some("http://flag"));
    let environment = layer(Some(Profile::Staging), Some("http://environment"));
    let file = Layer { log_level: Some("warn".into()), ..layer(Some(Profile::Prod), None) };
    let loaded = merge(flags, environment, file).unwrap();
    let source = |name| shown(&loaded, name).source;
    assert_eq!((&*loaded.config.server, source("server")), ("http://flag", Source::Flag));
    assert_eq!((loaded.config.profile, source("profile")), (Profile::Staging, Source::Environment));
    assert_eq!((&*loaded.config.log_level, source("log_level")), ("warn", Source::File));
    assert_eq!((loaded.config.listen.port(), source("listen")), (8080, Source::Default));
}

#[test]
fn the_token_is_masked_wherever_it_is_shown() {
    let token = Some(SecretString::from("s3cret"));
    let loaded = merge(Layer { token, ..nothing() }, nothing(), nothing()).unwrap();
    assert_eq!(shown(&loaded, "token").value, "********");
    assert!(!format!("{loaded:?}").contains("s3cret"));
}

#[test]
fn the_address_of_a_database_is_masked_wherever_it_is_shown() {
    let database_url = Some(SecretString::from("postgres://me:s3cret@host/db"));
    let loaded = merge(Layer { database_url, ..nothing() }, nothing(), nothing()).unwrap();
    assert_eq!(shown(&loaded, "database_url").value, "********");
    assert!(!format!("{loaded:?}").contains("s3cret"));
}

#[test]
fn tokens_of_channels_are_read_by_name_and_masked() {
    let tokens = read_tokens(" phone=tk_s3cret, hook = a=b,").unwrap();
    let channel_tokens = Some(tokens.clone());
    let loaded = merge(Layer { channel_tokens, ..nothing() }, nothing(), nothing()).unwrap();
    assert_eq!(shown(&loaded, "channel_tokens").value, "hook=********, phone=********");
    assert!(!format!("{loaded:?}").contains("s3cret"));
    assert_eq!(secrecy::ExposeSecret::expose_secret(&tokens["hook"]), "a=b");
    assert!(!read_tokens("s3cret").unwrap_err().to_string().contains("s3cret"));
}

#[test]
fn the_profile_decides_the_form_of_the_log_unless_it_is_set() {
    let format =
        |profile| merge(layer(Some(profile), None), nothing(), nothing()).unwrap().config.log_format();
    assert_eq!(format(Profile::Dev), LogFormat::Auto);
    assert_eq!(format(Profile::Prod), LogFormat::Json);
}

#[test]
fn a_misspelt_field_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, "token = \"s3cret\"\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
    let failure = load(nothing(), Some(&path)).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.message.contains("listen_on"), "{}", failure.message);
    assert!(failure.hint.unwrap().contains("--template"));
}

#[test]
fn a_secret_is_not_repeated_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    for line in ["token = [\"s3cret\"]", "tokn = \"s3cret\"", "token = \"s3cret", "token = s3cret"] {
        std::fs::write(&path, line).unwrap();
        let failure = load(nothing(), Some(&path)).unwrap_err();
        assert!(!failure.message.contains("s3cret"), "{}", failure.message);
    }
}

#[test]
fn localhost_is_an_address_to_listen_on() {
    assert_eq!(listen_address("localhost:81"), Ok("127.0.0.1:81".parse().unwrap()));
    assert!(listen_address("8080").unwrap_err().contains("127.0.0.1:8080"));
}

#[test]
fn a_named_file_must_be_there() {
    assert!(load(nothing(), Some(Path::new("/nowhere/x.toml"))).is_err());
}

#[test]
fn the_template_reads_and_names_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, template()).unwrap();
    assert!(load(nothing(), Some(&path)).is_ok());
    let loaded = merge(nothing(), nothing(), nothing()).unwrap();
    for value in loaded.shown {
        assert!(template().contains(&format!("#{} =", value.name)), "{}", value.name);
    }
}
