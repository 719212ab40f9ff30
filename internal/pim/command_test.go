package pim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"elevate/internal/pim"
)

var ticketPattern = pim.MustTicketPattern(`^INC-\d+$`)

func modelRoles() pim.Roles {
	return pim.Roles{
		{Name: "mde-admin", Title: "MDE Administrator", Group: "g-admin", Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true, NeedsApproval: true, Ticket: ticketPattern},
		{Name: "mde-analyst", Title: "MDE Analyst", Group: "g-analyst", Default: 4 * time.Hour, Max: 12 * time.Hour},
		{Name: "mde-liveresponse", Title: "MDE Live Response", Group: "g-live", Default: time.Hour, Max: 2 * time.Hour, NeedsReason: true, NeedsTicket: true, NeedsApproval: true, Ticket: ticketPattern},
	}
}

// monday is 14:02 on Monday, 2 March 2026.
var monday = time.Date(2026, 3, 2, 14, 2, 0, 0, time.UTC)

func reading() pim.Reading { return pim.Reading{Roles: modelRoles(), Now: monday} }

func activate(role string, a pim.Asked) pim.Command {
	return pim.Command{Verb: pim.VerbActivate, Role: role, Asked: a}
}

func TestCommandsAreUnderstood(t *testing.T) {
	const admin = "mde-admin"
	hour := func(n int) time.Time { return time.Date(2026, 3, 2, n, 0, 0, 0, time.UTC) }
	because := func(reason string) pim.Command { return activate(admin, pim.Asked{Reason: reason}) }
	for text, want := range map[string]pim.Command{
		"":                 {Verb: pim.VerbForm},
		" \u00a0 ":         {Verb: pim.VerbForm},
		"/elevate":         {Verb: pim.VerbForm},
		"Elevate":          {Verb: pim.VerbForm},
		"roles":            {Verb: pim.VerbRoles},
		"/elevate roles":   {Verb: pim.VerbRoles},
		"elevate STATUS":   {Verb: pim.VerbStatus},
		"status, please":   {Verb: pim.VerbStatus},
		"approvals":        {Verb: pim.VerbApprovals},
		"who":              {Verb: pim.VerbWho},
		"who mde-analyst":  {Verb: pim.VerbWho, Role: "mde-analyst"},
		"sign-in":          {Verb: pim.VerbSignIn},
		"Sign-Out":         {Verb: pim.VerbSignOut},
		"unlink":           {Verb: pim.VerbUnlink},
		"help":             {Verb: pim.VerbHelp},
		"/help":            {Verb: pim.VerbHelp},
		"history":          {Verb: pim.VerbHistory},
		"history Alice A.": {Verb: pim.VerbHistory, Name: "Alice A."},
		"history MDE-admin": {
			Verb: pim.VerbHistory, Name: "MDE-admin", Role: admin,
		},
		"history k7m2pq":              {Verb: pim.VerbHistory, Name: "k7m2pq", Request: "k7m2pq"},
		"release mde-admin":           {Verb: pim.VerbRelease, Role: admin},
		"release MDE-ADMIN I am done": {Verb: pim.VerbRelease, Role: admin, Reason: "I am done"},
		"?":                           {Verb: pim.VerbHelp},
		"/elevate ? please":           {Verb: pim.VerbHelp},
		"cancel k7m2pq":               {Verb: pim.VerbCancel, Request: "k7m2pq"},
		"cancel #K7M2PQ.":             {Verb: pim.VerbCancel, Request: "k7m2pq"},
		"approve k7m2pq":              {Verb: pim.VerbApprove, Request: "k7m2pq"},
		"approve k7m2pq fine by me":   {Verb: pim.VerbApprove, Request: "k7m2pq", Reason: "fine by me"},
		"deny k7m2pq “too broad”":     {Verb: pim.VerbDeny, Request: "k7m2pq", Reason: "too broad"},
		"revoke k7m2pq left early":    {Verb: pim.VerbRevoke, Request: "k7m2pq", Reason: "left early"},
		"review k7m2pq looks right":   {Verb: pim.VerbReview, Request: "k7m2pq", Reason: "looks right"},

		"mde-admin":                              because(""),
		"mde-admin isolating WS-042":             because("isolating WS-042"),
		"/elevate MDE-Admin isolating WS-042":    because("isolating WS-042"),
		"mde-admin: isolating  WS-042":           because("isolating WS-042"),
		"mde-admin\u00a0isolating\u00a0\tWS-042": because("isolating WS-042"),
		"mde-admin \"isolating WS-042\"":         because("isolating WS-042"),
		"mde-admin “isolating WS-042”":           because("isolating WS-042"),
		"mde-admin „isolating WS-042“":           because("isolating WS-042"),
		"mde-admin ‘isolating WS-042’":           because("isolating WS-042"),
		"mde-admin \"a\" and \"b\"":              because(`"a" and "b"`),
		"mde-admin Bob's host":                   because("Bob's host"),
		"mde-admin for 2 hosts":                  because("for 2 hosts"),
		"mde-admin for a test of WS-042":         because("for a test of WS-042"),
		"mde-admin for WS-042":                   because("for WS-042"),
		"mde-admin for tomorrow's maintenance":   because("for tomorrow's maintenance"),
		"mde-admin from 3 sensors, INC-1":        activate(admin, pim.Asked{Reason: "from 3 sensors, INC-1", Ticket: "INC-1"}),
		"mde-admin from the SOC":                 because("from the SOC"),
		"mde-admin until further notice":         because("until further notice"),
		"mde-admin from next to the printer":     because("from next to the printer"),
		"mde-admin from Bob: look at 18:00":      because("from Bob: look at 18:00"),
		"mde-admin tomorrow for 2h":              because("tomorrow for 2h"),
		"mde-admin for":                          because("for"),

		"mde-admin for 2h isolating WS-042": activate(admin, pim.Asked{Duration: 2 * time.Hour, Reason: "isolating WS-042"}),
		"mde-admin FOR 2H isolating":        activate(admin, pim.Asked{Duration: 2 * time.Hour, Reason: "isolating"}),
		"mde-admin for 2h, isolating":       activate(admin, pim.Asked{Duration: 2 * time.Hour, Reason: "isolating"}),
		"mde-admin for 2h 30 hosts":         activate(admin, pim.Asked{Duration: 2 * time.Hour, Reason: "30 hosts"}),
		"mde-admin for 2h for Bob":          activate(admin, pim.Asked{Duration: 2 * time.Hour, Reason: "for Bob"}),
		"mde-admin until 18:00 triage":      activate(admin, pim.Asked{Until: hour(18), Reason: "triage"}),
		"mde-admin from 22:00 for 45 min x": activate(admin, pim.Asked{From: hour(22), Duration: 45 * time.Minute, Reason: "x"}),
		"mde-admin for 45 min from 22:00 x": activate(admin, pim.Asked{From: hour(22), Duration: 45 * time.Minute, Reason: "x"}),

		"mde-admin isolating WS-042, INC-1234":  activate(admin, pim.Asked{Reason: "isolating WS-042, INC-1234", Ticket: "INC-1234"}),
		"mde-admin INC-1234, INC-9 and more":    activate(admin, pim.Asked{Reason: "INC-1234, INC-9 and more", Ticket: "INC-1234"}),
		"mde-admin see (INC-7).":                activate(admin, pim.Asked{Reason: "see (INC-7).", Ticket: "INC-7"}),
		"mde-admin \"INC-7\"":                   activate(admin, pim.Asked{Reason: "INC-7", Ticket: "INC-7"}),
		"mde-admin INC-7x and XINC-7 and inc-7": because("INC-7x and XINC-7 and inc-7"),
		"mde-analyst INC-7":                     activate("mde-analyst", pim.Asked{Reason: "INC-7"}),
	} {
		t.Run(text, func(t *testing.T) {
			got, err := pim.ParseCommand(text, reading())
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommandsAreRefusedWithASentence(t *testing.T) {
	for text, want := range map[string]struct {
		kind  pim.Kind
		holds string
	}{
		"mde-admn triage":                {pim.NotFound, "Did you mean mde-admin?"},
		"mde triage":                     {pim.NotFound, "Did you mean mde-admin or mde-analyst or mde-liveresponse?"},
		"sign":                           {pim.NotFound, "Did you mean sign-in or sign-out?"},
		"signin":                         {pim.NotFound, "Did you mean sign-in?"},
		"aprove k7m2pq":                  {pim.NotFound, "Did you mean approve?"},
		"statsu":                         {pim.NotFound, "Did you mean status?"},
		"please":                         {pim.NotFound, "/elevate help"},
		"<!channel>":                     {pim.NotFound, "/elevate help"},
		"x":                              {pim.NotFound, "/elevate help"},
		"…":                              {pim.NotFound, "/elevate help"},
		strings.Repeat("mde-admin", 500): {pim.NotFound, "/elevate help"},
		"release":                        {pim.Invalid, "/elevate release mde-admin"},
		"release mde-admn":               {pim.NotFound, "Did you mean mde-admin?"},
		"release status":                 {pim.NotFound, "There is no such role."},
		"who mde-anlyst":                 {pim.NotFound, "Did you mean mde-analyst?"},
		"cancel":                         {pim.Invalid, "/elevate cancel k7m2pq"},
		"cancel k7m2":                    {pim.NotFound, "six letters and digits"},
		"cancel k7m2p0":                  {pim.NotFound, "six letters and digits"},
		"deny":                           {pim.Invalid, "/elevate deny k7m2pq because"},
		"deny k7m2pq":                    {pim.Invalid, "/elevate deny k7m2pq because"},
		"deny k7m2pq “”":                 {pim.Invalid, "Say why"},
		"revoke k7m2pq":                  {pim.Invalid, "Say why"},
		"review k7m2pq \u200b":           {pim.Invalid, "Say what you found"},
		"mde-admin for 4m x":             {pim.Invalid, "ask for 5m or more"},
		"mde-admin for 0h x":             {pim.Invalid, "ask for 5m or more"},
		"mde-admin for 30 seconds x":     {pim.Invalid, "5 minutes"},
		"mde-admin for 2h until 18:00 x": {pim.Invalid, "not both"},
		"mde-admin for 2h for 3h x":      {pim.Invalid, "twice"},
		"mde-admin until 14:05 x":        {pim.Invalid, "5 minutes"},
		"mde-admin until today 13:00 x":  {pim.Invalid, "over already"},
		"mde-admin until today 14:02 x":  {pim.Invalid, "over already"},
		"mde-admin from tomorrow 22:00 until today 18:00": {pim.Invalid, "before it begins"},
		"mde-admin from 22:00 until 22:04 x":              {pim.Invalid, "5 minutes"},
		"mde-admin until 25:00 x":                         {pim.Invalid, "not a time of day"},
		"mde-admin for 30":                                {pim.Invalid, "“for 30” is not a time"},
		"mde-admin for an hour testing":                   {pim.Invalid, "“for an hour” is not a time"},
		"mde-admin for half an hour x":                    {pim.Invalid, "not a time"},
		"mde-admin for -1h x":                             {pim.Invalid, "not a time"},
		"mde-admin for 2h30 x":                            {pim.Invalid, "not a time"},
		"mde-admin for 1:30 x":                            {pim.Invalid, "not a time"},
		"mde-admin for 1,5h x":                            {pim.Invalid, "not a time"},
		"mde-admin until 18":                              {pim.Invalid, "not a time"},
		"mde-admin until 6 triage":                        {pim.Invalid, "not a time"},
		"mde-admin until 18.00 x":                         {pim.Invalid, "not a time"},
		"mde-admin until 18h x":                           {pim.Invalid, "not a time"},
		"mde-admin until tomorrow":                        {pim.Invalid, "not a time"},
		"mde-admin until noon":                            {pim.Invalid, "not a time"},
		"mde-admin until 2026-11-27 18:00 x":              {pim.Invalid, "not a time"},
		"mde-admin from Monday, 06:00 x":                  {pim.Invalid, "not a time"},
		"mde-admin from tomorrow testing":                 {pim.Invalid, "not a time"},
		"mde-admin from next week x":                      {pim.Invalid, "not a time"},
		"mde-admin from now":                              {pim.Invalid, "not a time"},
		"mde-admin for 2h from tonight x":                 {pim.Invalid, "“from tonight x” is not a time"},
		"mde-admin until 18:60 x":                         {pim.Invalid, "not a time of day"},
		"mde-admin until 13pm x":                          {pim.Invalid, "not a time of day"},
		"mde-admin from 0am x":                            {pim.Invalid, "not a time of day"},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := pim.ParseCommand(text, reading())
			if err == nil {
				t.Fatalf("understood as %+v", got)
			}
			sentence(t, err, want.kind, want.holds)
		})
	}
}

// sentence fails unless err is of the kind, holds the words and reads as one or
// more whole sentences.
func sentence(t *testing.T, err error, kind pim.Kind, holds string) {
	t.Helper()
	e := pim.Explain(err)
	if e.Kind != kind || !strings.Contains(e.Message, holds) {
		t.Errorf("got %s %q, want %s with %q", e.Kind, e.Message, kind, holds)
	}
	if !strings.HasSuffix(e.Message, ".") && !strings.HasSuffix(e.Message, "?") {
		t.Errorf("%q is no whole sentence", e.Message)
	}
}

func TestTypedWordsAreNotRepeatedInErrors(t *testing.T) {
	for _, text := range []string{"<!channel>", "release <!channel>", "cancel <!channel>", "mde-admin until <!channel>25:00"} {
		if _, err := pim.ParseCommand(text, reading()); err != nil && strings.Contains(err.Error(), "channel") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTheVerbIsKnownEvenIfTheRestIsNot(t *testing.T) {
	for text, verb := range map[string]pim.Verb{
		"revoke": pim.VerbRevoke, "review nothing": pim.VerbReview, "deny k7m2pq": pim.VerbDeny, "release mde-nothing": pim.VerbRelease,
	} {
		if c, err := pim.ParseCommand(text, reading()); err == nil || c != (pim.Command{Verb: verb}) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func TestRolesMayNotBeCalledLikeVerbs(t *testing.T) {
	in := reading()
	for _, v := range append(pim.Verbs(), "Elevate", "STATUS") {
		if !pim.Reserved(string(v)) {
			t.Errorf("%s is not reserved", v)
		}
		if strings.EqualFold(string(v), "elevate") {
			continue
		}
		in.Roles = append(in.Roles, pim.Role{Name: string(v)})
		if c, err := pim.ParseCommand(string(v)+" k7m2pq reason", in); err == nil && c.Verb == pim.VerbActivate {
			t.Errorf("role %s won over the verb", v)
		}
	}
	if pim.Reserved("mde-admin") {
		t.Error("mde-admin is reserved")
	}
}

func TestWhatIsWrittenOutIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role := rapid.SampledFrom(modelRoles()).Draw(t, "role")
		want := pim.Asked{Reason: rapid.StringMatching(`(why|see) [a-zA-ZäöüΩ]{1,9}( [a-z"'.]{1,5}x){0,5}`).Draw(t, "reason")}
		text := rapid.SampledFrom([]string{"", "/elevate ", "ELEVATE\u00a0"}).Draw(t, "lead") + role.Name
		if rapid.Bool().Draw(t, "timed") {
			want.Duration = time.Duration(rapid.IntRange(5, 1500).Draw(t, "minutes")) * time.Minute
			printed := rapid.SampledFrom([]func(time.Duration) string{pim.FormatDuration, pim.TypedDuration}).Draw(t, "print")
			text += " for " + printed(want.Duration)
		}
		got, err := pim.ParseCommand(text+"  "+want.Reason, reading())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(activate(role.Name, want), got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{
		"", "/elevate mde-admin for 1h30m until 18:00 INC-1", "mde-admin from tomorrow 6 pm until 9:00am \u202ex", "deny #k7m2pq “no”",
		"history a b", "for 1.2.3h", "mde-admin for 99999999999999999999h", "\xff\xfe", "mde-admin for . . 1e9h", "mde-admin until 02:30",
	} {
		f.Add(s, int64(1774747800))
	}
	berlin := mustLoad(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		in := pim.Reading{Roles: modelRoles(), Now: time.Unix(unix%4e9, 0), Zone: berlin}
		c, err := pim.ParseCommand(text, in)
		if err != nil {
			if e := pim.Explain(err); e.Kind == pim.Internal || e.Message == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		checkCommand(t, c, in)
	})
}

// checkCommand holds for every command that was understood.
func checkCommand(t *testing.T, c pim.Command, in pim.Reading) {
	t.Helper()
	if c.Role != "" {
		if _, ok := in.Roles.Named(c.Role); !ok {
			t.Errorf("%q is not a role", c.Role)
		}
	}
	if c.Request != "" && pim.ParseRequestID(string(c.Request)) != c.Request {
		t.Errorf("%q is not an id", c.Request)
	}
	a := c.Asked
	if a.Reason != pim.Tidy(a.Reason) || c.Reason != pim.Tidy(c.Reason) {
		t.Errorf("untidy reason %q %q", a.Reason, c.Reason)
	}
	if a.Ticket != "" && (!ticketPattern.Matches(a.Ticket) || !strings.Contains(a.Reason, a.Ticket)) {
		t.Errorf("ticket %q of %q", a.Ticket, a.Reason)
	}
	if !a.Until.IsZero() && (a.Duration != 0 || a.Until.Sub(in.Now) < pim.MinDuration) || a.Duration < 0 {
		t.Errorf("times of %+v", a)
	}
	if (c.Verb == pim.VerbActivate) != (c.Role != "" && c.Verb != pim.VerbRelease && c.Verb != pim.VerbWho && c.Verb != pim.VerbHistory) {
		t.Errorf("verb of %+v", c)
	}
}
