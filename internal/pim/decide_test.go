package pim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

func slackAccount(user string) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Slack, Workspace: "T1", User: user}
}

func pendingRequest() *pim.Request {
	return &pim.Request{
		ID: "k7m2pq", Role: "mde-admin", State: pim.Pending, Principal: "alice",
		Requester: pim.Actor{Person: "alice", Account: slackAccount("UALICE"), Name: "Alice"},
		Copy:      pim.Copy{ID: "pim-1", Principal: "alice", CreatedBy: "alice", Duration: time.Hour, Created: monday},
	}
}

func bob() pim.Decider {
	return pim.Decider{
		Actor:    pim.Actor{Person: "bob", Account: slackAccount("UBOB"), Name: "Bob"},
		Profile:  pim.Profile{ID: "bob", Found: true, Enabled: true},
		Approver: pim.Yes, Digest: pendingRequest().Digest(),
	}
}

func TestWhoMayDecide(t *testing.T) {
	for name, change := range map[string]func(*pim.Request, *pim.Decider){
		"an approver":                    func(*pim.Request, *pim.Decider) {},
		"an approver by a typed command": func(_ *pim.Request, d *pim.Decider) { d.Digest = "" },
		"whom PIM still has to judge":    func(_ *pim.Request, d *pim.Decider) { d.Approver, d.Profile = pim.NotKnown, pim.Profile{} },
		"whose own claim it is": func(r *pim.Request, d *pim.Decider) {
			r.Claim = &pim.Claim{By: d.Actor, Until: monday.Add(time.Minute)}
		},
		"after another's claim has run out": func(r *pim.Request, _ *pim.Decider) { r.Claim = &pim.Claim{By: pim.Actor{Person: "cy"}, Until: monday} },
		"where nobody's chat account is recorded": func(r *pim.Request, d *pim.Decider) {
			r.Requester.Account, d.Actor.Account = pim.ChatAccount{}, pim.ChatAccount{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, d := pendingRequest(), bob()
			change(r, &d)
			if err := pim.MayDecide(r, d, monday); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhoMayNotDecide(t *testing.T) {
	const own = "You cannot decide your own request."
	for name, row := range map[string]struct {
		change func(*pim.Request, *pim.Decider)
		kind   pim.Kind
		holds  string
	}{
		"somebody unknown":                     {func(_ *pim.Request, d *pim.Decider) { d.Actor.Person = "" }, pim.SignIn, "Sign in first"},
		"the requester":                        {func(_ *pim.Request, d *pim.Decider) { d.Actor.Person, d.Profile.ID = "alice", "alice" }, pim.Forbidden, own},
		"who becomes the member":               {func(r *pim.Request, _ *pim.Decider) { r.Principal = "bob" }, pim.Forbidden, own},
		"who becomes the member by PIM's copy": {func(r *pim.Request, _ *pim.Decider) { r.Copy.Principal = "bob" }, pim.Forbidden, own},
		"who created it by PIM's copy":         {func(r *pim.Request, _ *pim.Decider) { r.Copy.CreatedBy = "bob" }, pim.Forbidden, own},
		"who asked, by the request's record":   {func(r *pim.Request, _ *pim.Decider) { r.Requester.Person = "bob" }, pim.Forbidden, own},
		"another account of the requester":     {func(_ *pim.Request, d *pim.Decider) { d.SamePerson = true }, pim.Forbidden, own},
		"the requester's chat account":         {func(_ *pim.Request, d *pim.Decider) { d.Actor.Account = slackAccount("UALICE") }, pim.Forbidden, own},
		"the requester, even if an approver": {func(_ *pim.Request, d *pim.Decider) {
			d.Actor.Person, d.Profile.ID, d.Approver = "alice", "alice", pim.Yes
		}, pim.Forbidden, own},
		"somebody with another's profile": {func(_ *pim.Request, d *pim.Decider) { d.Profile.ID = "cy" }, pim.Internal, "somebody else"},
		"a guest":                         {func(_ *pim.Request, d *pim.Decider) { d.Profile.Guest = true }, pim.Forbidden, "Guests"},
		"somebody disabled":               {func(_ *pim.Request, d *pim.Decider) { d.Profile.Enabled = false }, pim.Forbidden, "disabled"},
		"somebody the directory lost":     {func(_ *pim.Request, d *pim.Decider) { d.Profile.Found = false }, pim.Forbidden, "does not know your account"},
		"who is no approver":              {func(_ *pim.Request, d *pim.Decider) { d.Approver = pim.No }, pim.Forbidden, "not among the approvers"},
		"while another decides": {func(r *pim.Request, _ *pim.Decider) {
			r.Claim = &pim.Claim{By: pim.Actor{Person: "cy", Name: "Cy"}, Until: monday.Add(1)}
		}, pim.Conflict, "Cy is deciding"},
		"while a nameless one decides": {func(r *pim.Request, _ *pim.Decider) {
			r.Claim = &pim.Claim{By: pim.Actor{Person: "cy"}, Until: monday.Add(1)}
		}, pim.Conflict, "Somebody is deciding"},
		"on a card whose facts have changed": {func(r *pim.Request, _ *pim.Decider) { r.Copy.Duration = 8 * time.Hour }, pim.Conflict, "has changed since"},
	} {
		t.Run(name, func(t *testing.T) {
			r, d := pendingRequest(), bob()
			row.change(r, &d)
			err := pim.MayDecide(r, d, monday)
			if err == nil {
				t.Fatal("allowed")
			}
			sentence(t, err, row.kind, row.holds)
		})
	}
}

func TestOnlyAPendingRequestIsDecided(t *testing.T) {
	for _, s := range pim.States() {
		r := pendingRequest()
		r.State = s
		err := pim.MayDecide(r, bob(), monday)
		if (err == nil) != (s == pim.Pending) {
			t.Errorf("%s: %v", s, err)
		}
		if s != pim.Pending {
			sentence(t, err, pim.Conflict, s.Phrase())
		}
	}
}

func TestWhoMayCancelAndRelease(t *testing.T) {
	alice, stranger := pendingRequest().Requester, bob().Actor
	cancel := []pim.State{pim.WaitingForSignIn, pim.Submitting, pim.Pending, pim.Scheduled}
	for _, s := range pim.States() {
		r := pendingRequest()
		r.State = s
		if err := pim.MayCancel(r, alice); (err == nil) != slices.Contains(cancel, s) {
			t.Errorf("cancel in %s: %v", s, err)
		} else if err != nil && strings.Contains(err.Error(), "Release it instead") && pim.MayRelease(r, alice) != nil {
			t.Errorf("in %s it advises a release that is refused: %v", s, err)
		}
		if err := pim.MayRelease(r, alice); (err == nil) != (s == pim.Active) {
			t.Errorf("release in %s: %v", s, err)
		}
		if err := pim.MayCancel(r, stranger); !pim.IsKind(err, pim.Forbidden) {
			t.Errorf("a stranger cancels in %s: %v", s, err)
		}
		if err := pim.MayRelease(r, stranger); !pim.IsKind(err, pim.Forbidden) {
			t.Errorf("a stranger releases in %s: %v", s, err)
		}
	}
}

func TestBeforeTheSignInTheChatAccountOwnsTheRequest(t *testing.T) {
	r := pendingRequest()
	r.State, r.Principal, r.Requester.Person = pim.WaitingForSignIn, "", ""
	if err := pim.MayCancel(r, pim.Actor{Account: slackAccount("UALICE")}); err != nil {
		t.Error(err)
	}
	for _, by := range []pim.Actor{{}, {Account: slackAccount("UBOB")}, {Person: "bob"}} {
		if err := pim.MayCancel(r, by); !pim.IsKind(err, pim.Forbidden) {
			t.Errorf("%+v: %v", by, err)
		}
	}
	r.Requester.Person = "alice"
	if err := pim.MayCancel(r, pim.Actor{Account: slackAccount("UALICE")}); !pim.IsKind(err, pim.Forbidden) {
		t.Errorf("once the person is known, the account alone is not enough: %v", err)
	}
}

func TestWhoMayRead(t *testing.T) {
	me := func(p pim.PrincipalID) pim.Actor { return pim.Actor{Person: p} }
	role := map[string]bool{"mde-admin": true}
	for name, row := range map[string]struct {
		by   pim.Reader
		want bool
	}{
		"the requester":               {pim.Reader{Actor: me("alice")}, true},
		"who is eligible":             {pim.Reader{Actor: me("cy"), Eligible: role}, true},
		"who approves":                {pim.Reader{Actor: me("bob"), Approves: role}, true},
		"an auditor":                  {pim.Reader{Actor: me("dora"), Auditor: true}, true},
		"who is eligible for another": {pim.Reader{Actor: me("cy"), Eligible: map[string]bool{"mde-analyst": true}}, false},
		"a colleague":                 {pim.Reader{Actor: me("cy")}, false},
		"an unlinked auditor":         {pim.Reader{Auditor: true, Eligible: role, Approves: role}, false},
		"an unlinked requester":       {pim.Reader{Actor: pim.Actor{Account: slackAccount("UALICE")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pim.MayRead(pendingRequest(), row.by); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
