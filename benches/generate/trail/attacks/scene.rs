//! The stage of one instance: whose accounts, when, and how its events get into the logs.

use super::super::super::calls::{Issued, Take, acting, create_role, iam};
use super::super::super::event::{Event, Role, Who};
use super::super::super::kit::{DAY, HOUR, Mint, Rng, Time, unique_id};
use super::super::Stage;

pub const REGION: &str = "us-east-1";
pub const ORG: &str = "o-company0001";
/// Where the people of the company sit.
pub const OFFICE: &str = "192.0.2.33";
pub const CLI: &str =
    "aws-cli/2.22.33 md/awscrt#0.22.0 ua/2.0 os/macos#24.2.0 md/arch#arm64 lang/python#3.12.6";
pub const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
pub const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.10.5 (+https://www.terraform.io) terraform-provider-aws/5.88.0 aws-sdk-go-v2/1.36.1 os/linux lang/go/1.23.3";
const ROBOT: &str = "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#6.1.119 lang/python#3.12.8";
pub const LAMBDA_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub struct Scene<'a> {
    pub mint: &'a mut Mint,
    stage: &'a Stage,
    /// What goes into the logs, with its background.
    pub events: Vec<Event>,
    /// The account where it happens, another one of the company, and one of a stranger.
    pub home: String,
    pub far: String,
    pub outside: String,
    /// Seconds of the calls count from here.
    pub time: Time,
    /// Number of the instance, and a tag for names that nobody else has.
    pub n: usize,
    pub tag: String,
    ids: Vec<String>,
    background: bool,
}

impl<'a> Scene<'a> {
    pub fn new(mint: &'a mut Mint, stage: &'a Stage, time: Time, (k, n): (usize, usize)) -> Self {
        let count = stage.accounts.len();
        let home = stage.accounts[(3 * k + n) % count].clone();
        let far = stage.accounts[(3 * k + n + 1) % count].clone();
        let outside = (610_000_000_000 + mint.rng.below(9_000_000_000)).to_string();
        Self {
            mint,
            stage,
            events: Vec::new(),
            home,
            far,
            outside,
            time,
            n,
            tag: format!("{}{n}", TAGS[k % TAGS.len()]),
            ids: Vec::new(),
            background: false,
        }
    }

    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub fn at(&self, seconds: i64) -> Time {
        self.time.plus(seconds)
    }

    /// Account number `n` of the company.
    pub fn account(&self, n: usize) -> String {
        self.stage.accounts[n % self.stage.accounts.len()].clone()
    }

    pub fn role(&self, name: &str) -> Role {
        Role::new(&self.home, name)
    }

    /// A made-up address of an attacker.
    pub fn lair(&self) -> String {
        format!("203.0.113.{}", 20 + self.n % 200)
    }

    /// Keeps the records that the company's trail sees.
    pub fn log(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            if self.stage.accounts.contains(&event.account) {
                if !self.background {
                    self.ids.push(event.event_id.clone());
                }
                self.events.push(event);
            }
        }
    }

    /// Plays `act` as background at the same time of every day before, from the first on.
    pub fn daily(&mut self, act: impl Fn(&mut Self)) {
        let (now, was) = (self.time, self.background);
        let clock = now.0.rem_euclid(DAY);
        let mut time = self.stage.start.plus(clock);
        while time.0 < now.0 - 2 * HOUR {
            self.at_another_time(time, &act);
            time = time.plus(DAY);
        }
        (self.time, self.background) = (now, was);
    }

    /// Plays `act` as background so many days before.
    pub fn days_before(&mut self, days: i64, act: impl Fn(&mut Self)) {
        let (now, was) = (self.time, self.background);
        self.at_another_time(now.plus(-days * DAY).max(self.stage.start.plus(60)), &act);
        (self.time, self.background) = (now, was);
    }

    fn at_another_time(&mut self, time: Time, act: &impl Fn(&mut Self)) {
        self.time = time.plus(self.mint.rng.below(600) as i64);
        self.background = true;
        act(self);
    }

    /// An IAM user of the account with a long-term key, at the office.
    pub fn user(&self, name: &str) -> Who {
        let key = Rng::named(&format!("{}/{name}", self.home)).key("AKIA");
        Who::user(&self.home, name, &key, None).from(OFFICE, CLI)
    }

    /// The same key in other hands.
    pub fn stolen(&self, name: &str) -> Who {
        let who = self.user(name);
        who.from(&self.lair(), CLI)
    }

    /// A person in the console, through Identity Center, as every day.
    pub fn engineer(&mut self) -> Who {
        let role = self.role(
            "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_PlatformEngineer_71b0f3a2d4c5e697",
        );
        let person = format!("{}@company.example", ["ana", "hugo", "mei"][self.n % 3]);
        self.daily(|s| drop(s.sign_in(&role, &person)));
        self.sign_in(&role, &person)
    }

    fn sign_in(&mut self, role: &Role, person: &str) -> Who {
        let time = self.at(-900);
        let take = Take {
            role,
            session: person,
            region: "eu-west-1",
            time,
        };
        let was = std::mem::replace(&mut self.background, true);
        let issued = take.by_workforce(self.mint, OFFICE);
        self.log(issued.events);
        self.background = was;
        let key = self.mint.rng.key("ASIA");
        acting(role, person, &key, time, (OFFICE, BROWSER)).in_console()
    }

    /// The Terraform pipeline of the account, which has made roles for weeks.
    pub fn terraform(&mut self) -> Who {
        self.days_before(13, |s| s.make_a_function());
        self.days_before(6, |s| s.make_a_function());
        self.pipeline()
    }

    fn make_a_function(&mut self) {
        let who = self.pipeline();
        let name = format!("fn-{}-{}", self.tag, self.time.0 / DAY % 100);
        let role = self.role(&name);
        self.create_role(&who, 20, &role, LAMBDA_TRUST);
        let managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        let request = [("roleName", name.as_str()), ("policyArn", managed)];
        self.iam(&who, 22, "AttachRolePolicy", &request);
    }

    fn pipeline(&mut self) -> Who {
        let role = self.role("terraform-apply");
        let session = format!("run-{}", 12_000_000_000 + self.mint.rng.below(999_999_999));
        let time = self.at(0);
        let take = Take {
            role: &role,
            session: &session,
            region: REGION,
            time,
        };
        let subject = "repo:company/terraform-apply:ref:refs/heads/main";
        let was = std::mem::replace(&mut self.background, true);
        let issued = take.by_workflow(self.mint, subject, ("198.18.9.9", TERRAFORM));
        self.log(issued.events);
        self.background = was;
        acting(
            &role,
            &session,
            &issued.key,
            time,
            ("198.18.9.9", TERRAFORM),
        )
    }

    /// Somebody of another company, as the account's own log shows it.
    pub fn stranger(&self, account: &str) -> Who {
        let name = format!("ops-{}", self.tag);
        Who::foreign(account, &unique_id("AIDA", account, &name)).from("198.51.100.23", ROBOT)
    }

    /// A role is taken; gives its session at the same address.
    pub fn take(&mut self, who: &Who, seconds: i64, role: &Role, session: &str) -> Who {
        self.take_with(who, seconds, role, session, &[])
    }

    pub fn take_with(
        &mut self,
        who: &Who,
        seconds: i64,
        role: &Role,
        session: &str,
        more: &[(&str, &str)],
    ) -> Who {
        let time = self.at(seconds);
        let take = Take {
            role,
            session,
            region: REGION,
            time,
        };
        let issued = take.by_with(self.mint, who, more);
        self.given(issued, role, session, time, who)
    }

    /// A service takes a role for a workload that runs at `ip`.
    pub fn take_for(&mut self, service: &str, role: &Role, session: &str, ip: &str) -> Who {
        let time = self.at(0);
        let take = Take {
            role,
            session,
            region: REGION,
            time,
        };
        let issued = take.by_service(self.mint, service);
        let who = Who::service(service).from(ip, ROBOT);
        self.given(issued, role, session, time, &who)
    }

    fn given(&mut self, issued: Issued, role: &Role, session: &str, time: Time, who: &Who) -> Who {
        self.log(issued.events);
        acting(role, session, &issued.key, time, (&who.ip, &who.agent))
    }

    /// A role is refused.
    pub fn refuse(&mut self, who: &Who, seconds: i64, role: &Role) {
        let take = Take {
            role,
            session: "session",
            region: REGION,
            time: self.at(seconds),
        };
        let event = take.refused(self.mint, who);
        self.log([event]);
    }

    /// A change in IAM of the home account.
    pub fn iam(&mut self, who: &Who, seconds: i64, name: &str, request: &[(&str, &str)]) {
        let event = self.iam_event(who, seconds, name, request);
        self.log([event]);
    }

    pub fn iam_event(
        &mut self,
        who: &Who,
        seconds: i64,
        name: &str,
        request: &[(&str, &str)],
    ) -> Event {
        let (home, time) = (self.home.clone(), self.at(seconds));
        iam(self.mint, who, &home, time, name, request)
    }

    pub fn create_role(&mut self, who: &Who, seconds: i64, role: &Role, trust: &str) {
        let time = self.at(seconds);
        let event = create_role(self.mint, who, role, trust, time);
        self.log([event]);
    }

    /// A call of another service in the home account.
    pub fn event(&mut self, who: &Who, seconds: i64, call: (&str, &str)) -> Event {
        let (home, time) = (self.home.clone(), self.at(seconds));
        Event::new(self.mint, who, (&home, REGION), time, call)
    }

    pub fn call(&mut self, who: &Who, seconds: i64, call: (&str, &str)) {
        let event = self.event(who, seconds, call);
        self.log([event]);
    }
}

/// Words that make the names of one kind's instances different from another's.
const TAGS: [&str; 24] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "jade",
    "kelp", "larch", "maple", "nettle", "otter", "pine", "quartz", "reed", "sage", "thorn",
    "umber", "vale", "willow", "yarrow",
];

/// A trust document of one statement.
pub fn trust(principal: &str, action: &str, condition: &str) -> String {
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(r#","Condition":{{{condition}}}"#)
    };
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{{principal}}},"Action":"{action}"{condition}}}]}}"#
    )
}

/// A trust document that lets in one AWS principal.
pub fn trusting(principal: &str) -> String {
    trust(&format!(r#""AWS":"{principal}""#), "sts:AssumeRole", "")
}
