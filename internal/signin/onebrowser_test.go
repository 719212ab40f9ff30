package signin_test

import (
	"net/http"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/signin"
	"elevate/internal/store"
)

// One browser, one cookie that never ran out: Alice signs in (linked), again after 35 minutes, and after 65 her other
// account links Slack there. The cookie lives 40 minutes from each page, what the browser saw an hour from the first.
func TestAllWhoSignInInOneBrowserThatKeepsItsCookieAreOnePerson(t *testing.T) {
	b := linked(t, nil)
	v := b.visitor()
	v.signIn(b.newLink(aliceSlack, ""), person(alice, "Alice"))
	first := v.cookie.Value
	b.advance(35 * time.Minute)
	v.signIn(b.newLink(aliceSlack, ""), person(alice, "Alice"))
	b.advance(30 * time.Minute)
	v.signInBoth(b.newLink(bobSlack, ""), person(aliceAdmin, "Alice (Admin)"), slackAccount(team, bobSlack.User))
	if v.cookie.Value != first {
		t.Fatal("another cookie")
	}
	if !b.samePerson(alice, aliceAdmin) {
		t.Error("two accounts that signed in within 30 minutes in one linking browser, with one cookie, are two people")
	}
}

// The other way round: the browser linked first, and kept its cookie.
func TestALinkingBrowserStaysOneWhileItKeepsItsCookie(t *testing.T) {
	b := newBench(t, nil)
	inTeams := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: bob}
	v := b.visitor()
	linkAlice(v)
	b.advance(35 * time.Minute)
	v.signIn(b.newLink(aliceSlack, ""), person(alice, "Alice")) // the cookie lives on
	b.advance(30 * time.Minute)
	v.signIn(b.newLink(inTeams, ""), person(bob, "Bob"))
	if !b.samePerson(alice, bob) {
		t.Error("two accounts that signed in within 30 minutes in one linking browser, with one cookie, are two people")
	}
}

// The setting any-of-person is taken back while somebody is about to add a second account.
func TestNoSecondAccountAfterTheSettingWasTakenBack(t *testing.T) {
	for name, account := range map[string]pim.ChatAccount{"Slack": aliceSlack, "Teams": {Chat: pim.Teams, Workspace: tenant, User: alice}} {
		b := linked(t, func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson })
		v := b.visitor()
		second := v.signIn(b.newLink(account, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
		to := v.press(second)
		b.cfg.Accounts = signin.AccountsSame
		b.restart()
		w := v.get(b.idp.approve(to, person(alice, "Alice Anders")))
		if w.Code == http.StatusSeeOther {
			w = v.get(b.idp.approve(w.Header().Get("Location"), slackAccount(team, aliceSlack.User)))
		}
		link, _ := b.link(account)
		session, _ := b.session(account)
		if len(link.Also) != 0 || session.Person == aliceAdmin {
			t.Errorf("%s: link %v, session of %s; %s", name, link.Also, session.Person, textOf(w))
		}
	}
}

// A session of a second account outlives the setting that allowed it.
func TestASecondAccountsSessionEndsWithTheSetting(t *testing.T) {
	account := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: alice}
	b := newBench(t, func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson })
	v := b.visitor()
	second := v.signIn(b.newLink(account, "intent-2"), person(aliceAdmin, "Alice (Admin)"))
	v.get(b.idp.approve(v.press(second), person(alice, "Alice Anders")))
	b.cfg.Accounts = signin.AccountsSame
	b.restart()
	_, _, err := b.svc.Token(t.Context(), pim.Actor{Person: aliceAdmin, Account: account}, "")
	if !pim.IsKind(err, pim.SignIn) {
		t.Errorf("a token as the second account: %v", err)
	}
}

// Each unfinished sign-in of an account that is not linked, in a new browser, makes a person longer.
func TestSignInsDoNotMakeAPersonLonger(t *testing.T) {
	b := newBench(t, nil)
	for range 20 {
		b.visitor().signIn(b.newLink(bobSlack, ""), person(bob, "Bob"))
	}
	b.view(func(tx *store.Tx) error {
		joined, err := tx.JoinedWith(bob)
		if len(joined) > 2 {
			t.Errorf("%d ids and nodes after 20 unfinished sign-ins of one account", len(joined))
		}
		return err
	})
}

// The browser keeps its cookie for as long as pages are opened in it; who signed in there is known for longer.
func TestABrowserThatIsKnownStillForgetsNobody(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	inTeams := pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: bob}
	v.signIn(b.newLink(inTeams, ""), person(bob, "Bob"))
	b.advance(35 * time.Minute)
	v.get(b.newLink(inTeams, "")) // the page is looked at, and the cookie lives on
	b.advance(30 * time.Minute)
	v.signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
	if !b.samePerson(alice, bob) {
		t.Error("two accounts of one linking browser, whose cookie never ended, are two people")
	}
}
