package signin_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/signin"
	"elevate/internal/store"
)

func TestBothProofsInOneBrowserLink(t *testing.T) {
	b := newBench(t, nil)
	w := b.visitor().signInBoth(b.newLink(aliceSlack, "intent-1"), person(alice, "Alice Anders"), slackAccount(team, aliceSlack.User))
	mustSay(t, w, http.StatusOK, "Approved. You can close this page; the card in Slack shows the rest.")
	mustSay(t, w, http.StatusOK, "Your Slack account is linked to the Microsoft account of Alice Anders.")
	link, _ := b.link(aliceSlack)
	want := store.Link{
		Account: aliceSlack, Tenant: tenant, Person: alice, Name: "Alice Anders", Since: b.now(), LastSignIn: b.now(), Checked: b.now(),
	}
	if diff := cmp.Diff(want, link); diff != "" {
		t.Errorf("link (-want +got):\n%s", diff)
	}
	session, _ := b.session(aliceSlack)
	if session.Person != alice || !session.AuthTime.Equal(b.now()) || !session.Expires.Equal(b.now().Add(8*time.Hour)) {
		t.Errorf("session: %+v", session)
	}
	if diff := cmp.Diff([]string{"linked " + alice, "signed_in " + alice}, b.events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"U0ALICE intent-1"}, b.resumed); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
	if len(b.told) != 1 || !strings.HasPrefix(b.told[0], "U0ALICE: Your Slack account is now linked to the Microsoft account of Alice Anders.") {
		t.Errorf("told: %q", b.told)
	}
}

func TestALinkedAccountNeedsNoSlack(t *testing.T) {
	b := linked(t, nil)
	b.advance(24 * time.Hour)
	w := b.visitor().signIn(b.newLink(aliceSlack, "intent-2"), person(alice, "Alice Anders"))
	mustSay(t, w, http.StatusOK, "Approved.")
	link, _ := b.link(aliceSlack)
	if !link.LastSignIn.Equal(b.now()) || link.Since.Equal(b.now()) {
		t.Errorf("link: %+v", link)
	}
	if len(b.told) != 0 {
		t.Errorf("told without a new link: %q", b.told)
	}
}

// The table of those who must not get a link.
func TestALinkThatIsPassedOnLinksNobody(t *testing.T) {
	for name, slack := range map[string]map[string]any{
		"another user":                  slackAccount(team, "U0BOB"),
		"another team":                  slackAccount("T0FABRIKAM", aliceSlack.User),
		"no team":                       {"sub": aliceSlack.User, "https://slack.com/user_id": aliceSlack.User},
		"no user":                       {"sub": aliceSlack.User, "https://slack.com/team_id": team},
		"subject and user differ":       {"sub": "U0BOB", "https://slack.com/user_id": aliceSlack.User, "https://slack.com/team_id": team},
		"an e-mail address decides not": {"sub": "U0BOB", "email": "alice@contoso.example", "https://slack.com/team_id": team},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(c *signin.Config) { c.Slack.TeamID = "" })
			// Alice's link, in Bob's browser, with Bob's silent session at Entra.
			w := b.visitor().signInBoth(b.newLink(aliceSlack, "intent-1"), person(bob, "Bob Berger"), slack)
			mustSay(t, w, http.StatusForbidden, "is not the one this sign-in link was made for")
			mustSay(t, w, http.StatusForbidden, "Slack account Alice <b>Anders</b> Workspace Contoso")
			if _, found := b.link(aliceSlack); found {
				t.Error("linked")
			}
			if _, found := b.session(aliceSlack); found {
				t.Error("the Entra session was kept")
			}
			if len(b.resumed)+len(b.told)+len(b.events()) != 0 {
				t.Errorf("resumed %q, told %q, events %q", b.resumed, b.told, b.events())
			}
		})
	}
}

func TestAnEnterpriseAccountIsKnownByItsEnterprise(t *testing.T) {
	account := pim.ChatAccount{Chat: pim.Slack, Workspace: "E0CONTOSO", User: "W0ALICE"}
	served := func(c *signin.Config) { c.Slack.TeamID = "E0CONTOSO" }
	b := newBench(t, served)
	said := slackAccount("T0ONEOFMANY", "W0ALICE")
	w := b.visitor().signInBoth(b.newLink(account, ""), person(alice, "Alice"), said)
	mustSay(t, w, http.StatusForbidden, "is not the one this sign-in link was made for")
	said["https://slack.com/enterprise_id"] = "E0CONTOSO"
	w = b.visitor().signInBoth(b.newLink(account, ""), person(alice, "Alice"), said)
	mustSay(t, w, http.StatusOK, "is linked")
}

func TestAccountsOfOtherWorkspacesAreNotLinked(t *testing.T) {
	b := newBench(t, nil)
	account := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0FABRIKAM", User: aliceSlack.User}
	w := b.visitor().signInBoth(b.newLink(account, ""), person(alice, "Alice"), slackAccount("T0FABRIKAM", aliceSlack.User))
	mustSay(t, w, http.StatusForbidden, "is not the one this sign-in link was made for")
}

func TestAChatAccountThatIsGoneIsNotLinked(t *testing.T) {
	b := newBench(t, nil)
	b.dead = pim.Errorf(pim.Forbidden, "This Slack account is a guest's. Guests cannot use Elevate.")
	w := b.visitor().signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
	mustSay(t, w, http.StatusForbidden, "This Slack account is a guest's.")
	if _, found := b.link(aliceSlack); found {
		t.Error("linked")
	}
}

func TestAPersonHasOneChatAccountInAWorkspace(t *testing.T) {
	b := linked(t, nil)
	w := b.visitor().signInBoth(b.newLink(bobSlack, ""), person(alice, "Alice"), slackAccount(team, bobSlack.User))
	mustSay(t, w, http.StatusForbidden, "already linked to another Slack account of this workspace")
	if _, found := b.link(bobSlack); found {
		t.Error("a second chat account was linked")
	}
	if _, found := b.session(bobSlack); found {
		t.Error("a session was kept for it")
	}
}

func TestAnotherAccountIsRefusedAndCountsAsOnePerson(t *testing.T) {
	b := linked(t, nil)
	before := b.events()
	w := b.visitor().signIn(b.newLink(aliceSlack, "intent-2"), person(bob, "Bob Berger"))
	mustSay(t, w, http.StatusForbidden, "This sign-in link belongs to the Slack account below")
	mustSay(t, w, http.StatusForbidden, "Alice <b>Anders</b>")
	mustSay(t, w, http.StatusForbidden, "Bob Berger")
	link, _ := b.link(aliceSlack)
	session, _ := b.session(aliceSlack)
	if link.Person != alice || len(link.Also) != 0 || session.Person != alice {
		t.Errorf("link %+v, session of %s", link, session.Person)
	}
	if now := b.events(); !slices.Equal(append(before, "joined "+bob), now) || len(b.resumed) != 0 {
		t.Errorf("events %q, resumed %q", now, b.resumed)
	}
	if len(b.told) != 1 || !strings.Contains(b.told[0], "among them that of Bob Berger, for one person") {
		t.Errorf("told %q", b.told)
	}
	if !b.samePerson(alice, bob) {
		t.Error("two accounts that signed in for one chat account are two people")
	}
}

func TestAccountsOfOneLinkingBrowserAreOnePerson(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	v.signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
	v.signIn(b.newLink(bobSlack, ""), person(bob, "Bob")) // not even finished
	if !b.samePerson(alice, bob) {
		t.Error("two accounts of one linking browser are two people")
	}
	b.visitor().signIn(b.newLink(bobSlack, ""), person(aliceAdmin, "Alice (Admin)"))
	if b.samePerson(alice, aliceAdmin) {
		t.Error("accounts of two browsers are one person")
	}
}

func TestWhoeverHadTheChatAccountBeforeIsOnePerson(t *testing.T) {
	b := linked(t, nil)
	b.update(func(tx *store.Tx) error { return b.svc.Unlink(tx, aliceSlack, pim.Actor{Account: aliceSlack}, "") })
	w := b.visitor().signInBoth(b.newLink(aliceSlack, ""), person(bob, "Bob"), slackAccount(team, aliceSlack.User))
	mustSay(t, w, http.StatusOK, "is linked")
	if !b.samePerson(alice, bob) {
		t.Error("two accounts that were linked to one chat account are two people")
	}
}

func TestSeparateAdministratorAccounts(t *testing.T) {
	anyOf := func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson }
	b := linked(t, anyOf)
	v := b.visitor()
	second := v.signIn(b.newLink(aliceSlack, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
	mustSay(t, second, http.StatusOK, "Is this a second account of yours?")
	w := v.get(b.idp.approve(v.press(second), person(alice, "Alice Anders")))
	w = v.get(b.idp.approve(w.Header().Get("Location"), slackAccount(team, aliceSlack.User)))
	mustSay(t, w, http.StatusOK, "may now also act as the Microsoft account of Alice (Admin)")
	link, _ := b.link(aliceSlack)
	session, _ := b.session(aliceSlack)
	if link.Person != alice || !slices.Equal(link.Also, []pim.PrincipalID{aliceAdmin}) || session.Person != aliceAdmin {
		t.Errorf("link %+v, session of %s", link, session.Person)
	}
	if !b.samePerson(alice, aliceAdmin) || len(b.told) != 2 || !slices.Equal(b.resumed, []string{"U0ALICE intent-2"}) {
		t.Errorf("told %q, resumed %q", b.told, b.resumed)
	}
	w = b.visitor().signIn(b.newLink(aliceSlack, ""), person(aliceAdmin, "Alice (Admin)"))
	mustSay(t, w, http.StatusOK, "You are signed in")
}

func TestASecondAccountWantsBothProofs(t *testing.T) {
	anyOf := func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson }
	slack, notSlack := slackAccount(team, aliceSlack.User), slackAccount(team, "U0BOB")
	for name, row := range map[string]struct{ second, slack map[string]any }{
		"the linked account is not proved":   {person(bob, "Bob"), slack},
		"the same second account once more":  {person(aliceAdmin, "Alice (Admin)"), slack},
		"the Slack account is not proved":    {person(alice, "Alice"), notSlack},
		"another person, another Slack user": {person(bob, "Bob"), notSlack},
	} {
		t.Run(name, func(t *testing.T) {
			b := linked(t, anyOf)
			v := b.visitor()
			w := v.signIn(b.newLink(aliceSlack, ""), person(aliceAdmin, "Alice (Admin)"))
			w = v.get(b.idp.approve(v.press(w), row.second))
			if w.Code == http.StatusSeeOther {
				w = v.get(b.idp.approve(w.Header().Get("Location"), row.slack))
			}
			link, _ := b.link(aliceSlack)
			session, _ := b.session(aliceSlack)
			if w.Code != http.StatusForbidden || len(link.Also) != 0 || session.Person != alice {
				t.Errorf("%d, link %+v, session of %s", w.Code, link, session.Person)
			}
			if !b.samePerson(alice, aliceAdmin) {
				t.Error("what was seen together is not one person")
			}
		})
	}
}

func TestTeamsNamesThePersonItself(t *testing.T) {
	b := newBench(t, nil)
	account := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: alice}
	w := b.visitor().signIn(b.newLink(account, ""), person(bob, "Bob"))
	mustSay(t, w, http.StatusForbidden, "This sign-in link belongs to the Teams account below")
	w = b.visitor().signIn(b.newLink(account, ""), person(alice, "Alice"))
	mustSay(t, w, http.StatusOK, "You are signed in")
	if session, found := b.session(account); !found || session.Person != alice {
		t.Errorf("session: %+v", session)
	}
}

func TestASecondAccountInTeamsIsProvedInOneBrowser(t *testing.T) {
	account := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: alice}
	b := newBench(t, func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson })
	v := b.visitor()
	second := v.signIn(b.newLink(account, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
	mustSay(t, second, http.StatusOK, "sign in now with the one you use in Teams")
	if _, found := b.session(account); found {
		t.Error("a session before both accounts were proved")
	}
	wrong := v.get(b.idp.approve(v.press(second), person(bob, "Bob")))
	mustSay(t, wrong, http.StatusForbidden, "This is another account")
	if link, found := b.link(account); found {
		t.Errorf("linked %+v", link)
	}
	v = b.visitor()
	second = v.signIn(b.newLink(account, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
	mustSay(t, v.get(b.idp.approve(v.press(second), person(alice, "Alice Anders"))), http.StatusOK, "may now also act as the Microsoft account of Alice (Admin)")
	link, _ := b.link(account)
	session, _ := b.session(account)
	if link.Person != alice || !slices.Equal(link.Also, []pim.PrincipalID{aliceAdmin}) || session.Person != aliceAdmin {
		t.Errorf("link %+v, session of %s", link, session.Person)
	}
	mustSay(t, b.visitor().signIn(b.newLink(account, ""), person(aliceAdmin, "Alice (Admin)")), http.StatusOK, "You are signed in")
	b.update(func(tx *store.Tx) error { return b.svc.Unlink(tx, account, pim.Actor{Account: account}, "") })
	mustSay(t, b.visitor().signIn(b.newLink(account, ""), person(aliceAdmin, "Alice (Admin)")), http.StatusOK, "Is this a second account of yours?")
	mustSay(t, b.visitor().signIn(b.newLink(account, ""), person(alice, "Alice Anders")), http.StatusOK, "You are signed in")
}

func TestWhoseLinkIsEndedIsToldWhyAndWhoCanHelp(t *testing.T) {
	b := linked(t, nil)
	b.update(func(tx *store.Tx) error {
		return b.svc.Unlink(tx, aliceSlack, pim.Actor{Name: "Elevate"}, "the account in Microsoft Entra is disabled")
	})
	const want = "no longer linked to the Microsoft account of Alice Anders, because the account in Microsoft Entra is disabled. " +
		"If that is a mistake, an administrator can mend it; type /elevate sign-in after that to link it again."
	if len(b.told) != 1 || !strings.Contains(b.told[0], want) {
		t.Errorf("told: %q", b.told)
	}
}

func TestUnlinkEndsLinkAndSession(t *testing.T) {
	b := linked(t, nil)
	b.update(func(tx *store.Tx) error {
		return b.svc.Unlink(tx, aliceSlack, pim.Actor{Person: alice, Account: aliceSlack}, "")
	})
	if _, found := b.link(aliceSlack); found {
		t.Error("the link is still there")
	}
	if _, found := b.session(aliceSlack); found {
		t.Error("the session is still there")
	}
	if len(b.told) != 1 || !strings.Contains(b.told[0], "no longer linked to the Microsoft account of Alice Anders.") {
		t.Errorf("told: %q", b.told)
	}
	events := b.events()
	if !slices.Equal(events[len(events)-2:], []string{"signed_out " + alice, "unlinked " + alice}) {
		t.Errorf("events: %q", events)
	}
}

func TestSweepEndsWhatIsOver(t *testing.T) {
	b := linked(t, nil)
	sweep := func() {
		t.Helper()
		if err := b.svc.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.advance(90*24*time.Hour - time.Second)
	sweep()
	if _, found := b.link(aliceSlack); !found {
		t.Error("the link ended before 90 days were over")
	}
	b.advance(time.Second)
	sweep()
	if _, found := b.link(aliceSlack); found {
		t.Error("the link outlived 90 days without a sign-in")
	}
	if len(b.told) != 1 || !strings.Contains(b.told[0], "because nobody signed in with it for 90 days") {
		t.Errorf("told: %q", b.told)
	}
}

func TestSecondAccountsEndWithTheSettingThatAllowedThem(t *testing.T) {
	b := linked(t, func(c *signin.Config) { c.Accounts = signin.AccountsSame })
	b.update(func(tx *store.Tx) error { // as any-of-person left it
		l, _, err := tx.Link(aliceSlack)
		if err != nil {
			return err
		}
		l.Also = []pim.PrincipalID{aliceAdmin}
		return tx.PutLink(l)
	})
	w := b.visitor().signIn(b.newLink(aliceSlack, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
	if s, _ := b.session(aliceSlack); s.Person == aliceAdmin || w.Code == http.StatusOK {
		t.Errorf("%d, session of %s", w.Code, s.Person)
	}
}

func TestWhoeverSignsInInALinkingBrowserIsOnePerson(t *testing.T) {
	b := linked(t, nil) // Alice was linked in another browser
	v := b.visitor()
	v.signIn(b.newLink(aliceSlack, ""), person(alice, "Alice"))
	if b.samePerson(alice, aliceAdmin) {
		t.Fatal("one person before anything was seen together")
	}
	v.signInBoth(b.newLink(bobSlack, ""), person(aliceAdmin, "Alice (Admin)"), slackAccount(team, bobSlack.User))
	if !b.samePerson(alice, aliceAdmin) {
		t.Error("two accounts that signed in in one linking browser are two people")
	}
	other := b.visitor()
	other.signIn(b.newLink(aliceSlack, ""), person(alice, "Alice"))
	if b.samePerson(alice, bob) {
		t.Error("people of other browsers were joined")
	}
}

// In Teams nobody is linked, so that its sign-ins join nobody by themselves.
func TestWhoSignsInForTeamsInALinkingBrowserIsOnePerson(t *testing.T) {
	inTeams := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: bob}
	for name, steps := range map[string][]func(*visitor){
		"Slack first": {linkAlice, signBobInForTeams(inTeams)},
		"Teams first": {signBobInForTeams(inTeams), linkAlice},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(cfg *signin.Config) {
				cfg.Reaches = func(_ *store.Tx, p pim.PrincipalID) ([]pim.ChatAccount, error) {
					return []pim.ChatAccount{{Chat: pim.Teams, Workspace: tenant, User: string(p)}}, nil
				}
			})
			v := b.visitor()
			for _, step := range steps {
				step(v)
			}
			for _, who := range []string{aliceSlack.User, alice, bob} { // the last two in Teams
				if !slices.ContainsFunc(b.told, func(said string) bool { return strings.HasPrefix(said, who+": Elevate takes several") }) {
					t.Errorf("%s is not told of it: %q", who, b.told)
				}
			}
			if !b.samePerson(alice, bob) {
				t.Error("two accounts of one linking browser are two people")
			}
			if !slices.ContainsFunc(b.events(), func(e string) bool { return strings.HasPrefix(e, "joined") }) {
				t.Errorf("events %q", b.events())
			}
			b.advance(25 * time.Hour) // what the browser saw is forgotten
			v.signIn(b.newLink(pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: aliceAdmin}, ""), person(aliceAdmin, "Alice (Admin)"))
			if b.samePerson(alice, aliceAdmin) {
				t.Error("a browser is a linking one for ever")
			}
		})
	}
}

func linkAlice(v *visitor) {
	v.signInBoth(v.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
}

func signBobInForTeams(account pim.ChatAccount) func(*visitor) {
	return func(v *visitor) { v.signIn(v.newLink(account, ""), person(bob, "Bob")) }
}

func TestADeactivatedChatAccountGetsNoSession(t *testing.T) {
	b := linked(t, nil)
	b.update(func(tx *store.Tx) error { return tx.DeleteSession(aliceSlack) })
	b.dead = pim.Errorf(pim.Forbidden, "That Slack account is deactivated.")
	w := b.visitor().signIn(b.newLink(aliceSlack, "intent"), person(alice, "Alice"))
	if _, found := b.session(aliceSlack); found || w.Code == http.StatusOK {
		t.Errorf("%d, a session: %t", w.Code, found)
	}
	// Slack out of reach says nothing of the account.
	b.dead = pim.Errorf(pim.Unavailable, "Slack cannot be reached at the moment.")
	b.visitor().signIn(b.newLink(aliceSlack, "intent"), person(alice, "Alice"))
	if _, found := b.session(aliceSlack); !found {
		t.Error("no session while Slack is out of reach")
	}
}
