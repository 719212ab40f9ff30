package pim_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elevate/internal/pim"
)

func TestMarksComeOffAsTheyWentOn(t *testing.T) {
	for justification, want := range map[string]struct {
		reason string
		id     pim.RequestID
	}{
		"triage [elevate k7m2pq]":             {"triage", "k7m2pq"},
		"[elevate k7m2pq]":                    {"", "k7m2pq"},
		"triage":                              {"triage", ""},
		"triage [elevate k7m2pq] later":       {"triage [elevate k7m2pq] later", ""},
		"triage [elevate k7m2p0]":             {"triage [elevate k7m2p0]", ""},
		"triage [Elevate k7m2pq]":             {"triage [Elevate k7m2pq]", ""},
		"a [elevate aaaaaa] [elevate k7m2pq]": {"a [elevate aaaaaa]", "k7m2pq"},
		"triage [elevate k7m2pq]\n":           {"triage [elevate k7m2pq]\n", ""},
	} {
		reason, id := pim.Unmark(justification)
		if reason != want.reason || id != want.id {
			t.Errorf("%q: %q %q", justification, reason, id)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		reason := pim.Tidy(rapid.String().Draw(t, "reason"))
		if pim.HasMark(reason) {
			t.Skip("refused when it is typed")
		}
		id := pim.RequestID(rapid.StringMatching(`[a-hjkmnp-z2-9]{6}`).Draw(t, "id"))
		if got, found := pim.Unmark(pim.Mark(reason, id)); got != reason || found != id {
			t.Fatalf("%q %s became %q %s", reason, id, got, found)
		}
	})
}

func TestTypedMarksAreSeen(t *testing.T) {
	for _, text := range []string{"[elevate k7m2pq]", "x [ELEVATE", "[ \televate]", "[elevate]x"} {
		if !pim.HasMark(text) {
			t.Errorf("%q passed", text)
		}
	}
	for _, text := range []string{"", "elevate k7m2pq", "[elevated]", "(elevate)"} {
		if pim.HasMark(text) {
			t.Errorf("%q was taken for a mark", text)
		}
	}
}

func sent() (pim.Activation, pim.Copy) {
	a := pim.Activation{
		Action: pim.SelfActivate, Group: "g-admin", Principal: "alice", Justification: pim.Mark("triage INC-1", "k7m2pq"),
		Ticket: "INC-1", Start: monday.Add(time.Hour), Duration: 30 * time.Minute,
	}
	return a, pim.Copy{
		ID: "pim-1", Action: "SelfActivate", Access: "Member", Group: a.Group, Principal: a.Principal, CreatedBy: "alice",
		Created: monday.Add(time.Second), Justification: a.Justification, Ticket: a.Ticket,
		Start: a.Start.Add(300 * time.Millisecond), Expiration: "afterDuration", Duration: a.Duration,
	}
}

func TestACopyIsOursOnlyIfEverythingIsAsSent(t *testing.T) {
	a, c := sent()
	if !c.SentAs(a, "alice", monday, monday.Add(time.Minute)) {
		t.Fatal("our own copy was not known again")
	}
	for name, change := range map[string]func(*pim.Copy){
		"another action":               func(c *pim.Copy) { c.Action = pim.AdminAssign },
		"ownership":                    func(c *pim.Copy) { c.Access = "owner" },
		"another group":                func(c *pim.Copy) { c.Group = "g-live" },
		"another principal":            func(c *pim.Copy) { c.Principal = "bob" },
		"another creator":              func(c *pim.Copy) { c.CreatedBy = "bob" },
		"no creator":                   func(c *pim.Copy) { c.CreatedBy = "" },
		"another reason":               func(c *pim.Copy) { c.Justification = pim.Mark("triage", "k7m2pq") },
		"another mark":                 func(c *pim.Copy) { c.Justification = pim.Mark("triage INC-1", "aaaaaa") },
		"no mark":                      func(c *pim.Copy) { c.Justification = "triage INC-1" },
		"another ticket":               func(c *pim.Copy) { c.Ticket = "INC-2" },
		"another duration":             func(c *pim.Copy) { c.Duration = 31 * time.Minute },
		"an end of its own":            func(c *pim.Copy) { c.End = monday.Add(8 * time.Hour) },
		"an end instead of a duration": func(c *pim.Copy) { c.Duration, c.End = 0, monday.Add(90*time.Minute) },
		"neither duration nor end":     func(c *pim.Copy) { c.Duration = 0 },
		"another start":                func(c *pim.Copy) { c.Start = c.Start.Add(time.Second) },
		"created before the sending":   func(c *pim.Copy) { c.Created = monday.Add(-2*time.Minute - time.Second) },
		"created after the last try":   func(c *pim.Copy) { c.Created = monday.Add(3*time.Minute + time.Second) },
		"an unknown creation":          func(c *pim.Copy) { c.Created = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			a, c := sent()
			change(&c)
			if c.SentAs(a, "alice", monday, monday.Add(time.Minute)) {
				t.Error("taken for ours")
			}
		})
	}
}

func TestAnEndAndAnImmediateStartAreKnownAgain(t *testing.T) {
	a, c := sent()
	a.Duration, a.Until, a.Start = 0, monday.Add(time.Hour), time.Time{}
	c.Duration, c.End, c.Start = 0, monday.Add(time.Hour), monday.Add(7*time.Second)
	if !c.SentAs(a, "alice", monday, monday) {
		t.Error("an activation with an end was not known again")
	}
}

// The attack: while a request of thirty minutes waits to be sent, its requester
// makes one of eight hours in the portal, with the same mark.
func TestEightHoursCannotHideBehindACardOfThirtyMinutes(t *testing.T) {
	a, forged := sent()
	a.Start = time.Time{}
	forged.ID, forged.Duration = "pim-2", 8*time.Hour
	if !strings.HasSuffix(forged.Justification, "[elevate k7m2pq]") {
		t.Fatal("the forgery carries our mark")
	}
	if forged.SentAs(a, "alice", monday, monday) {
		t.Fatal("the forgery was taken for ours")
	}

	_, shown := sent()
	card := pim.Request{ID: "k7m2pq", State: pim.Pending, Copy: shown}
	d := bob()
	d.Digest = card.Digest()
	swapped := card
	swapped.Copy = forged
	if err := pim.MayDecide(&swapped, d, monday); !pim.IsKind(err, pim.Conflict) {
		t.Errorf("a decision on thirty minutes was taken for eight hours: %v", err)
	}
}
