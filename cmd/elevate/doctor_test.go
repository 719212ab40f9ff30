package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/adapters/entra"
	"elevate/adapters/teams"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// doctored looks at the world's bot from outside, and returns what was found.
func (w *world) doctored(edit func(*config.Config)) (found []checked) {
	w.t.Helper()
	cfg := *w.bot.cfg
	cfg.Roles = slices.Clone(cfg.Roles)
	if edit != nil {
		edit(&cfg)
	}
	d := &doctor{
		cfg: &cfg, transport: w.bot.around.transport, log: slog.New(slog.DiscardHandler), now: w.bot.around.now,
		order: func(ctx context.Context, words []string) ([]byte, error) {
			var out bytes.Buffer
			err := operator{db: w.bot.db, serving: w.bot.serving}.do(ctx, words, nil, &out)
			return out.Bytes(), err
		},
		tell: func(c checked) { found = append(found, c) },
	}
	if err := d.run(w.t.Context()); (err != nil) != slices.ContainsFunc(found, func(c checked) bool { return c.Verdict == wrong }) {
		w.t.Errorf("doctor came to %v after %v", err, found)
	}
	return found
}

// saw fails unless a check came to that.
func saw(t *testing.T, found []checked, about, what string, v verdict, said string) {
	t.Helper()
	for _, c := range found {
		if c.About == about && c.What == what && c.Verdict == v && strings.Contains(c.Said, said) {
			if v != fine && c.Mend == "" {
				t.Errorf("%s, %s: nothing says what to do", about, what)
			}
			return
		}
	}
	t.Errorf("%s, %s: no check came to %s with %q in\n%v", about, what, v, said, found)
}

func TestTheDoctorFindsAHealthySandboxWrongOnlyForBeingOne(t *testing.T) {
	w := newWorld(t, nil)
	found := w.doctored(nil)
	for _, c := range found {
		if c.Verdict == wrong && c.What != "sandbox" {
			t.Errorf("%+v", c)
		}
	}
	saw(t, found, "Settings", "sandbox", wrong, "nothing here is real")
	saw(t, found, "Microsoft Entra", "permissions", fine, "")
	saw(t, found, "Microsoft Entra", "audit log", fine, "readable")
	saw(t, found, "Microsoft Entra", "redirect address", fine, "/auth/entra/callback")
	saw(t, found, "Role mde-admin", "rules in PIM", fine, "")
	saw(t, found, "Role mde-admin", "approvers", fine, "2 who could approve")
	saw(t, found, "Role mde-admin", "direct messages", warning, "Bob Berger, Carol Chen")
	saw(t, found, "State", "serve", fine, "")
	saw(t, found, "Slack", "channel #on-call", fine, "joined")
	saw(t, found, "Microsoft Teams", "token and keys", fine, "")
}

func TestTheDoctorNamesWhatIsWrong(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	w.parks("sweep")
	found := w.doctored(func(cfg *config.Config) {
		cfg.PublicURL = "https://elsewhere.example.com"
		cfg.Roles[0].Duration.Max, cfg.Roles[0].Require.Approval = 2*time.Hour, false
		cfg.Roles[1].Group = "No such group"
		cfg.Roles[2].Notify.Slack = "C0NOWHERE"
		cfg.Roles[2].Approvers = []string{"Security Auditors"}
		cfg.Roles[0].Emergency, cfg.Roles[0].Reviewers = true, []string{"No such leads"}
		cfg.Roles[2].Emergency, cfg.Roles[2].Reviewers = true, []string{"Security Auditors"}
	})
	saw(t, found, "Role mde-admin", "reviewers", wrong, "No such leads")
	saw(t, found, "Role mde-liveresponse", "reviewers", warning, "there is one, whose own uses nobody can review")
	saw(t, found, "Microsoft Entra", "redirect address", wrong, "does not have the redirect address https://elsewhere.example.com/auth/entra/callback")
	saw(t, found, "Role mde-admin", "longest activation", wrong, "the settings say 2 h")
	saw(t, found, "Role mde-admin", "approval", wrong, "PIM says yes, the settings say no")
	saw(t, found, "Role mde-analyst", "group", wrong, "No such group")
	saw(t, found, "Role mde-liveresponse", "approvers", wrong, "the settings say Security Auditors")
	saw(t, found, "Role mde-liveresponse", "direct messages", warning, "Carol Chen")
	saw(t, found, "State", "queue", warning, "1 pieces of work")
	saw(t, found, "Slack", "channel C0NOWHERE", wrong, "")
}

func TestTheDoctorOnlyTakesTheApplicationsReadPermissions(t *testing.T) {
	t.Parallel()
	needed := entra.ReadPermissions()
	for name, row := range map[string]struct {
		granted []string
		what    string
		v       verdict
	}{
		"those that are needed":        {needed, "permissions", fine},
		"one that writes":              {append(slices.Clone(needed), "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"), "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", wrong},
		"one that owns":                {append(slices.Clone(needed), "Application.ReadWrite.OwnedBy"), "Application.ReadWrite.OwnedBy", wrong},
		"one that is not known":        {append(slices.Clone(needed), "full_access_as_app"), "full_access_as_app", wrong},
		"one more to read":             {append(slices.Clone(needed), "Mail.Read"), "Mail.Read", warning},
		"one too few":                  {needed[1:], needed[0], wrong},
		"the other one for the policy": {append(slices.DeleteFunc(slices.Clone(needed), func(p string) bool { return strings.HasPrefix(p, "RoleManagementPolicy") }), entra.PolicyPermission), "permissions", fine},
	} {
		var found []checked
		d := &doctor{tell: func(c checked) { found = append(found, c) }}
		d.permissions("Entra", row.granted)
		t.Run(name, func(t *testing.T) { saw(t, found, "Entra", row.what, row.v, "") })
	}
}

func TestTheDoctorReadsTheClock(t *testing.T) {
	t.Parallel()
	for ahead, v := range map[time.Duration]verdict{0: fine, -4 * time.Second: fine, 10 * time.Second: warning, -time.Minute: wrong} {
		var found []checked
		d := &doctor{tell: func(c checked) { found = append(found, c) }}
		d.clock("Entra", ahead)
		saw(t, found, "Entra", "clock", v, "")
	}
}

func TestTheDoctorPrintsATableOrJSON(t *testing.T) {
	t.Parallel()
	var table, lines bytes.Buffer
	for _, tell := range []func(checked){teller(&table, false), teller(&lines, true)} {
		tell(checked{About: "Slack", What: "bot token", Verdict: fine})
		tell(checked{About: "Slack", What: "scopes", Verdict: wrong, Said: "the token lacks chat:write", Mend: "Add it."})
	}
	if want := "\nSlack\n  ✓ bot token\n  ✗ scopes: the token lacks chat:write\n      Add it.\n"; table.String() != want {
		t.Errorf("got %q, want %q", table.String(), want)
	}
	var c checked
	if err := json.Unmarshal(bytes.Split(lines.Bytes(), []byte("\n"))[1], &c); err != nil || c.Verdict != wrong || c.Mend != "Add it." {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTheStateSaysWhoCanBeWrittenTo(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	var bob pim.PrincipalID
	err := w.bot.db.View(func(tx *store.Tx) error {
		links, err := tx.Links()
		bob = links[0].Person
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// In Teams one was met in a channel, whose chat can be opened, one has the app, and one has taken it away.
	for _, r := range []teams.Reference{
		{Key: teams.PersonKey("met"), MRI: "29:met", Met: "19:general@thread.tacv2"},
		{Key: teams.PersonKey("open"), Conversation: "a:open"},
		{Key: teams.PersonKey("shut"), Conversation: "a:shut", Shut: "BotNotInConversationRoster"},
	} {
		if err := (references{w.bot.db}).KeepReference(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := (operator{db: w.bot.db}).do(t.Context(), []string{"doctor", strings.ToUpper(string(bob)), "nobody", "met", "open", "shut"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	var seen stateSeen
	want := map[pim.PrincipalID][]pim.Chat{bob: {pim.Slack}, "met": {pim.Teams}, "open": {pim.Teams}}
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil || seen.Serving || !maps.EqualFunc(seen.Reached, want, slices.Equal) {
		t.Errorf("%+v, %v", seen, err)
	}
}

func TestABotThatLooksAtItselfSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, nil)
	w.bot.checkUp(t.Context())
	if _, said := w.readyz(); strings.Contains(said, " failed:") {
		t.Errorf("/readyz says %s", said)
	}
	w.bot.cfg.Roles[0].Notify.Slack = "C0NOWHERE"
	w.bot.checkUp(t.Context())
	if code, said := w.readyz(); code != http.StatusOK || !strings.Contains(said, "; 1 check failed") {
		t.Errorf("/readyz %d %s", code, said)
	}
}
