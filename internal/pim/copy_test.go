package pim_test

import (
	"testing"
	"time"

	"elevate/internal/pim"
)

func TestEachFactChangesTheDigest(t *testing.T) {
	_, base := sent()
	seen := map[string]string{base.Digest(): "nothing"}
	for name, change := range map[string]func(*pim.Copy){
		"id":               func(c *pim.Copy) { c.ID = "pim-2" },
		"action":           func(c *pim.Copy) { c.Action = pim.AdminAssign },
		"access":           func(c *pim.Copy) { c.Access = "owner" },
		"group":            func(c *pim.Copy) { c.Group = "g-live" },
		"principal":        func(c *pim.Copy) { c.Principal = "bob" },
		"creator":          func(c *pim.Copy) { c.CreatedBy = "bob" },
		"creation":         func(c *pim.Copy) { c.Created = c.Created.Add(time.Second) },
		"justification":    func(c *pim.Copy) { c.Justification += "." },
		"ticket":           func(c *pim.Copy) { c.Ticket = "INC-2" },
		"ticket system":    func(c *pim.Copy) { c.TicketSystem = "ServiceNow" },
		"expiration":       func(c *pim.Copy) { c.Expiration = "noExpiration" },
		"duration":         func(c *pim.Copy) { c.Duration = 8 * time.Hour },
		"end":              func(c *pim.Copy) { c.End = monday.Add(8 * time.Hour) },
		"planned start":    func(c *pim.Copy) { c.Start = c.Start.Add(time.Hour) },
		"no planned start": func(c *pim.Copy) { c.Start = time.Time{} },
		// Letters must not wander from one fact to the next.
		"border of facts": func(c *pim.Copy) { c.Justification, c.Ticket = c.Justification+"I", "NC-1" },
	} {
		c := base
		change(&c)
		d := c.Digest()
		if other, taken := seen[d]; taken {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
}

func TestWhatADecisionChangesDoesNotChangeTheDigest(t *testing.T) {
	_, base := sent()
	base.Start = base.Created
	for name, change := range map[string]func(*pim.Copy){
		"status":          func(c *pim.Copy) { c.Status = "Granted" },
		"completion":      func(c *pim.Copy) { c.Completed = monday },
		"schedule":        func(c *pim.Copy) { c.ScheduleID = "s" },
		"approval":        func(c *pim.Copy) { c.ApprovalID = "a" },
		"immediate start": func(c *pim.Copy) { c.Start = c.Created.Add(time.Minute) },
		"time zone":       func(c *pim.Copy) { c.Created = c.Created.In(time.FixedZone("x", 3600)) },
		"case of words":   func(c *pim.Copy) { c.Action, c.Access, c.Expiration = "SELFACTIVATE", "MEMBER", "AfterDuration" },
	} {
		c := base
		change(&c)
		if c.Digest() != base.Digest() {
			t.Errorf("%s changed the digest", name)
		}
	}
}

func TestTheEndThatACopyNames(t *testing.T) {
	for name, row := range map[string]struct {
		copy pim.Copy
		want time.Time
	}{
		"an end":                      {pim.Copy{End: monday, Start: monday, Duration: time.Hour}, monday},
		"a duration from its start":   {pim.Copy{Start: monday, Duration: time.Hour}, monday.Add(time.Hour)},
		"a duration without a start":  {pim.Copy{Duration: time.Hour}, time.Time{}},
		"neither duration nor an end": {pim.Copy{Start: monday}, time.Time{}},
	} {
		if got := row.copy.EndTime(); !got.Equal(row.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
