//! Given / when / then for notifications.

use super::*;
use crate::domain::context::Projection;
use crate::domain::envelope::{Extra, Key, Kind};
use crate::domain::operations::{ActorDied, ActorQuarantined, DeadLetterAdded, notice};
use crate::domain::testing::{given, metadata};

fn named(name: &str) -> Metadata {
    Metadata { key: Key::from(name), ..metadata() }
}

fn set_up(kind: ChannelKind, address: &str) -> Command {
    SetUpChannel { kind, address: address.to_owned() }.into()
}

fn notify() -> Command {
    Notify { title: "The week is planned".into(), body: "7 days".into(), about: Some("/x".into()) }.into()
}

fn alert(stays_in_app: bool) -> Command {
    Alert { title: "a".into(), body: "b".into(), about: None, stays_in_app }.into()
}

fn phone() -> Channel {
    Channel { kind: ChannelKind::Ntfy, address: "https://ntfy.example/topic".into() }
}

fn decide(state: &State, command: &Command, channels: &[&str], metadata: &Metadata) -> Vec<Event> {
    let facts = Facts(channels.iter().map(|name| (*name).to_owned()).collect());
    Notifications::decide(state, command, &facts, metadata).unwrap()
}

fn channels_of(events: &[Event]) -> &[String] {
    let [Event::NotificationSent(sent)] = events else { panic!("{events:?}") };
    &sent.channels
}

#[test]
fn without_a_channel_it_is_in_the_app_and_no_failure() {
    let events = decide(&State::default(), &notify(), &[], &metadata());
    assert_eq!(channels_of(&events), [] as [String; 0]);
    let state = given::<Notifications>(&events);
    assert_eq!(Notifications::sends(&state, &events[0], &metadata()).unwrap(), []);
}

#[test]
fn it_goes_over_every_channel_each_for_itself() {
    let events = decide(&State::default(), &notify(), &["mail", "phone"], &metadata());
    let sent = Notifications::sends(&State::default(), &events[0], &metadata()).unwrap();
    let keys: Vec<_> = sent.iter().map(|outgoing| outgoing.to.key.as_str()).collect();
    assert_eq!(keys, ["mail", "phone"]);
}

#[test]
fn a_channel_calls_its_service_and_an_answer_is_a_delivery() {
    let state = given::<Notifications>(&[ChannelSetUp { channel: phone() }.into()]);
    let [Event::NotificationSent(notification)] =
        &decide(&State::default(), &notify(), &["phone"], &metadata())[..]
    else {
        panic!("it is sent")
    };
    let deliver = Command::from(Deliver { notification: notification.clone() });
    let call = Notifications::call(&state, &deliver, &named("phone")).unwrap().unwrap();
    assert_eq!((call.service, call.operation, call.recovery), ("ntfy", "push", Recovery::Repeat));
    let push: Push = serde_json::from_str(&call.request).unwrap();
    assert_eq!((push.channel.as_str(), push.address.as_str()), ("phone", "https://ntfy.example/topic"));
    let id = notification.id;
    let delivered = Notifications::answered(&state, &deliver, "", &named("phone"));
    assert_eq!(delivered, Ok(vec![NotificationDelivered { id }.into()]));
    let refused = Notifications::refused(&state, &deliver, "403", &named("phone"));
    assert_eq!(refused, Some(Ok(vec![DeliveryRefused { id, error: "403".into() }.into()])));
}

#[test]
fn a_channel_that_is_gone_calls_nobody() {
    let events = [ChannelSetUp { channel: phone() }.into(), ChannelRemoved {}.into()];
    let state = given::<Notifications>(&events);
    let [Event::NotificationSent(notification)] = &decide(&state, &notify(), &[], &metadata())[..] else {
        panic!("it is sent")
    };
    let deliver = Command::from(Deliver { notification: notification.clone() });
    assert_eq!(Notifications::call(&state, &deliver, &named("phone")), Ok(None));
    let events = decide(&state, &deliver, &[], &named("phone"));
    assert!(matches!(&events[..], [Event::DeliveryRefused(_)]), "{events:?}");
}

#[test]
fn alerts_of_one_kind_leave_the_house_once_in_a_while() {
    let first = decide(&State::default(), &alert(false), &["phone"], &metadata());
    assert_eq!(channels_of(&first), ["phone"]);
    let mut state = given::<Notifications>(&first);
    let later = |minutes| Metadata { time: metadata().time + TimeDelta::minutes(minutes), ..metadata() };
    let soon = decide(&state, &alert(false), &["phone"], &later(14));
    assert_eq!(channels_of(&soon), [] as [String; 0]);
    Notifications::evolve(&mut state, &soon[0]);
    assert_eq!(channels_of(&decide(&state, &alert(false), &["phone"], &later(15))), ["phone"]);
    assert_eq!(
        channels_of(&decide(&State::default(), &alert(true), &["phone"], &metadata())),
        [] as [String; 0]
    );
}

#[test]
fn a_channel_has_a_name_and_an_address_that_can_be_called() {
    let good = set_up(ChannelKind::Ntfy, "https://ntfy.sh/topic");
    for name in ["in_app", "", "Phone", "a b", &"x".repeat(41), "alert:x"] {
        let decided = Notifications::decide(&State::default(), &good, &Facts::default(), &named(name));
        assert!(decided.is_err(), "{name}");
    }
    assert_eq!(decide(&State::default(), &good, &[], &named("phone")).len(), 1);
    for address in [
        "",
        "ntfy.sh/x",
        "ftp://x/y",
        "http://",
        "http:///x",
        "http://:80/x",
        "https://ann:secret@host/x",
        "https://host/a b",
        "https://ntfy.sh",
        "https://ntfy.sh/",
        "https://ntfy.sh/?x",
    ] {
        assert!(Notifications::check(&set_up(ChannelKind::Ntfy, address)).is_err(), "{address}");
    }
    assert!(Notifications::check(&good).is_ok());
    assert!(Notifications::check(&set_up(ChannelKind::Webhook, "http://192.0.2.1:8123")).is_ok());
}

#[test]
fn setting_up_the_same_again_changes_nothing() {
    let state = given::<Notifications>(&[ChannelSetUp { channel: phone() }.into()]);
    let same = set_up(ChannelKind::Ntfy, "https://ntfy.example/topic");
    assert_eq!(decide(&state, &same, &[], &named("phone")), []);
}

fn react(key: &str, event: &operations::Event) -> Vec<(String, Alert)> {
    let envelope = notice(key, event, metadata().id, metadata().time, None).unwrap();
    let sent = Notifications::reaction(&envelope).unwrap();
    sent.into_iter().map(|out| (out.to.key.to_string(), serde_json::from_str(&out.body).unwrap())).collect()
}

fn dead(context: &str) -> operations::Event {
    DeadLetterAdded {
        position: 7,
        reader: None,
        context: context.into(),
        key: "k".into(),
        type_name: "ImportRecipe".into(),
        error: "boom".into(),
    }
    .into()
}

#[test]
fn dead_letters_and_quarantines_become_alerts() {
    let [(key, alert)] = &react("7", &dead("recipes"))[..] else { panic!("one alert") };
    assert_eq!((key.as_str(), alert.stays_in_app), ("alert:dead-letter:recipes", false));
    assert!(alert.body.contains("boom") && alert.body.contains("ImportRecipe"), "{alert:?}");
    let quarantined = ActorQuarantined { generation: 3, cause: "panic".into() }.into();
    let [(key, alert)] = &react("contexts/recipes", &quarantined)[..] else { panic!("one alert") };
    assert_eq!(key, "alert:quarantine:contexts/recipes");
    assert!(alert.title.contains("contexts/recipes"), "{alert:?}");
    let died = ActorDied { generation: 1, cause: "x".into(), message_position: None }.into();
    assert_eq!(react("contexts/recipes", &died), []);
}

#[test]
fn a_dead_delivery_is_not_told_over_channels() {
    let [(_, alert)] = &react("7", &dead("notifications"))[..] else { panic!("one alert") };
    assert!(alert.stays_in_app);
}

fn envelope(key: &str) -> Envelope {
    let to = crate::domain::envelope::Address::new("notifications", key);
    let command = Envelope::command(&to, "", String::new(), metadata().id, metadata().time);
    Envelope { kind: Kind::Event, extra: Extra::default(), ..command }
}

#[test]
fn the_list_shows_what_became_of_each_delivery_newest_first() {
    let sent = |minutes| NotificationSent {
        id: metadata().id,
        at: metadata().time + TimeDelta::minutes(minutes),
        title: "t".into(),
        body: "b".into(),
        about: None,
        channels: vec!["mail".into(), "phone".into()],
    };
    let mut row = None;
    let id = metadata().id;
    for (key, event) in [
        ("x", sent(0).into()),
        ("phone", NotificationDelivered { id }.into()),
        ("mail", DeliveryRefused { id, error: "403".into() }.into()),
    ] {
        Recent::apply(&mut row, &id.to_string(), &envelope(key), &event);
    }
    let old = row.unwrap();
    let states: Vec<_> =
        old.deliveries.iter().map(|delivery| (delivery.state, delivery.error.clone())).collect();
    assert_eq!(states, [(DeliveryState::Refused, Some("403".into())), (DeliveryState::Delivered, None)]);
    let mut row = None;
    Recent::apply(&mut row, "", &envelope("x"), &sent(1).into());
    assert!(Recent::sort(&row.unwrap()) < Recent::sort(&old));
}
