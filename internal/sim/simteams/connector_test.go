package simteams_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/simteams"
)

func TestAMessageIsPostedRewrittenAndTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm := w.dm(t, "alice")
	id := w.posts(t, dm, message(card(block("first"))))
	contains(t, w.sees(t, "alice"), "dm| first")
	if a := w.calls(t, http.MethodPut, w.activity(dm, id), message(card(block("second")))); a.status != http.StatusOK || a.id() != id {
		t.Errorf("%d %v", a.status, a.body)
	}
	seen := w.sees(t, "alice")
	contains(t, seen, "second")
	lacks(t, seen, "first")
	if a := w.calls(t, http.MethodDelete, w.activity(dm, id), nil); a.status != http.StatusOK {
		t.Errorf("%d %v", a.status, a.body)
	}
	lacks(t, w.sees(t, "alice"), "second")
	if a := w.calls(t, http.MethodPut, w.activity(dm, id), plain("third")); a.status != http.StatusNotFound || a.code() != "ActivityNotFoundInConversation" {
		t.Errorf("%d %v", a.status, a.body)
	}
	if found := w.Findings(); len(found) > 0 {
		t.Error(found)
	}
}

func TestTheGlobalAddressReachesTheSameConversations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := strings.Replace(activities(simteams.ChannelID(simteams.Approvals)), "%3A", ":", 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.GlobalURL()+"v3/"+path, strings.NewReader(`{"type":"message","text":"hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+connectorToken)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if a := w.does(t, req); a.status != http.StatusCreated {
		t.Errorf("%d %v", a.status, a.body)
	}
	contains(t, w.sees(t, "bob"), "#approvals| hello")
}

func TestOnlyTheBotsOwnTokenIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range []struct {
		name, header, code string
		status             int
	}{
		{"none", "", "", 401},
		{"another scheme", "Basic " + connectorToken, "", 401},
		{"not a token", "Bearer x", "", 401},
		{"an app that is no bot", "Bearer other-app", "BotNotRegistered", 401},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.ServiceURL()+"v3/"+activities(w.dm(t, "alice")), strings.NewReader(`{"type":"message","text":"hello"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", row.header)
		req.Header.Set("Content-Type", "application/json")
		if a := w.does(t, req); a.status != row.status || a.code() != row.code {
			t.Errorf("%s: %d %v", row.name, a.status, a.body)
		}
	}
	lacks(t, w.sees(t, "alice"), "hello")
}

func TestTheConnectorRefusesWhatItIsNotFor(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simteams.Config) { c.Unlimited = true })
	dm, approvals := w.dm(t, "alice"), simteams.ChannelID(simteams.Approvals)
	mine := w.posts(t, dm, plain("mine"))
	if _, err := w.Say(t.Context(), "alice", "dm", "theirs"); err != nil {
		t.Fatal(err)
	}
	theirs := w.last(t).activity["id"].(string)
	if err := w.Block("bob", true); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, method, path string
		body               map[string]any
		status             int
		code               string
	}{
		{"no such conversation", "POST", activities("19:nothing@thread.tacv2"), plain("x"), 404, "ConversationNotFound"},
		{"no such thread", "POST", activities(approvals + ";messageid=1"), plain("x"), 404, "ConversationNotFound"},
		{"a private channel", "POST", activities(simteams.ChannelID(simteams.WarRoom)), plain("x"), 403, "BotNotInConversationRoster"},
		{"somebody without the app", "POST", activities(w.dm(t, "erin")), plain("x"), 403, "BotNotInConversationRoster"},
		{"somebody who blocked the bot", "POST", activities(w.dm(t, "bob")), plain("x"), 403, "ConversationBlockedByUser"},
		{"somebody else's message", "PUT", w.activity(dm, theirs), plain("x"), 403, "NotEnoughPermissions"},
		{"no message", "PUT", w.activity(dm, "1"), plain("x"), 404, "ActivityNotFoundInConversation"},
		{"nothing to say", "POST", activities(dm), plain(" "), 400, "BadArgument"},
		{"an unknown type", "POST", activities(dm), map[string]any{"type": "shout", "text": "x"}, 400, "BadArgument"},
		{"a card without a type", "POST", activities(dm), message(map[string]any{"body": []any{}}), 400, "BadArgument"},
		{"an attachment without a type", "POST", activities(dm), map[string]any{"type": "message", "attachments": []any{map[string]any{"content": card()}}}, 400, "BadArgument"},
		{"an attachment nobody knows", "POST", activities(dm), map[string]any{"type": "message", "attachments": []any{map[string]any{"contentType": "application/json", "content": card()}}}, 400, "BadArgument"},
		{"a card over 28 KB", "POST", activities(dm), message(card(block(strings.Repeat("x", 28<<10)))), 413, "MessageSizeTooBig"},
		{"a message over 100 KB", "POST", activities(dm), plain(strings.Repeat("x", 51<<10)), 413, "MessageSizeTooBig"},
		{"views for more than 60", "POST", activities(dm), message(refreshing(card(block("x")), manyIDs(61)...)), 400, "BadArgument"},
		{"the rewrite over 28 KB", "PUT", w.activity(dm, mine), message(card(block(strings.Repeat("x", 28<<10)))), 413, "MessageSizeTooBig"},
		{"no path", "POST", "conversations/" + url.PathEscape(dm) + "/nothing", plain("x"), 404, ""},
	} {
		if a := w.calls(t, row.method, row.path, row.body); a.status != row.status || a.code() != row.code {
			t.Errorf("%s: %d %v", row.name, a.status, a.body)
		}
	}
}

func manyIDs(n int) []any {
	var ids []any
	for range n {
		ids = append(ids, "29:x")
	}
	return ids
}

func TestABodyHasToBeJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for kind, want := range map[string]int{"text/plain": 415, "": 415, "application/json": 400} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.ServiceURL()+"v3/"+activities(w.dm(t, "alice")), bytes.NewReader([]byte("hello")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+connectorToken)
		req.Header.Set("Content-Type", kind)
		if a := w.does(t, req); a.status != want {
			t.Errorf("%s: %d %v", kind, a.status, a.body)
		}
	}
}

func TestAThreadOfAChannelIsBegunAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	approvals := simteams.ChannelID(simteams.Approvals)
	a := w.calls(t, http.MethodPost, "conversations", map[string]any{
		"isGroup": true, "channelData": map[string]any{"channel": map[string]any{"id": approvals}}, "activity": message(card(block("a request"))),
	})
	root, _ := a.body["activityId"].(string)
	if a.status != http.StatusCreated || a.id() != approvals+";messageid="+root || root == "" {
		t.Fatalf("%d %v", a.status, a.body)
	}
	w.posts(t, a.id(), plain("more of it"))
	if a := w.calls(t, http.MethodPut, w.activity(a.id(), root), message(card(block("decided")))); a.status != http.StatusOK {
		t.Errorf("%d %v", a.status, a.body)
	}
	for _, m := range w.Messages(approvals) {
		if m.Thread != root {
			t.Errorf("%q stands in thread %q", m.Text, m.Thread)
		}
	}
	contains(t, w.sees(t, "bob"), "#approvals| decided", "#approvals| more of it")
}

func TestAPersonalChatIsOpenedOnlyWhereTheAppIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := func(id, tenant string) answer {
		return w.calls(t, http.MethodPost, "conversations", map[string]any{
			"isGroup": false, "bot": map[string]any{"id": "28:" + w.App().ID}, "members": []any{map[string]any{"id": id}},
			"tenantId": tenant, "channelData": map[string]any{"tenant": map[string]any{"id": tenant}},
		})
	}
	ours := w.model.TenantID
	bob, _ := w.model.Person("bob")
	if a := open(w.mri(t, "bob"), ours); a.status != http.StatusCreated || a.id() != w.dm(t, "bob") {
		t.Errorf("%d %v", a.status, a.body)
	}
	if a := open(bob.ObjectID, ours); a.status != http.StatusCreated || a.id() != w.dm(t, "bob") {
		t.Errorf("by object id: %d %v", a.status, a.body)
	}
	for name, row := range map[string]struct {
		a    answer
		code string
	}{
		"without the app":  {open(w.mri(t, "erin"), ours), "ForbiddenOperationException"},
		"a guest":          {open(w.mri(t, "gus"), ours), "ForbiddenOperationException"},
		"nobody":           {open("29:nobody", ours), "BadArgument"},
		"another tenant":   {open(w.mri(t, "bob"), w.model.OtherTenantID), "BadArgument"},
		"without a tenant": {open(w.mri(t, "bob"), ""), "BadArgument"},
	} {
		if row.a.code() != row.code {
			t.Errorf("%s: %d %v", name, row.a.status, row.a.body)
		}
	}
}

func TestTargetedMessagesAreForOnePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	incident := simteams.ChatID(simteams.Incident)
	if told, err := w.Say(t.Context(), "alice", simteams.Incident, "/elevate roles"); err != nil || !told {
		t.Fatal(told, err)
	}
	asked := w.last(t).activity
	contains(t, string(w.last(t).body), `"isTargeted":true`, `"text":"elevate roles"`)
	private := func(to string, quoting any) map[string]any {
		return map[string]any{
			"type": "message", "text": "only for you", "recipient": map[string]any{"id": to},
			"entities": []any{map[string]any{"type": "targetedMessageInfo", "messageId": quoting}},
		}
	}
	target := activities(incident) + "?isTargetedActivity=true"
	a := w.calls(t, http.MethodPost, target, private(w.mri(t, "alice"), asked["id"]))
	if a.status != http.StatusCreated {
		t.Fatalf("%d %v", a.status, a.body)
	}
	contains(t, w.sees(t, "alice"), "only for you", "Alice Anders: elevate roles")
	lacks(t, w.sees(t, "bob"), "only for you", "elevate roles")
	mine := w.activity(incident, a.id())
	for name, row := range map[string]struct {
		a    answer
		code string
	}{
		"no recipient":           {w.calls(t, "POST", target, plain("x")), "BadArgument"},
		"somebody elsewhere":     {w.calls(t, "POST", target, private("29:nobody", asked["id"])), "BadArgument"},
		"quoting nothing":        {w.calls(t, "POST", target, private(w.mri(t, "alice"), "1")), "INVALID_TARGETED_MESSAGE_ID"},
		"in a personal chat":     {w.calls(t, "POST", activities(w.dm(t, "alice"))+"?isTargetedActivity=true", private(w.mri(t, "alice"), "1")), "BadArgument"},
		"rewritten as public":    {w.calls(t, "PUT", mine, plain("x")), "ActivityNotFoundInConversation"},
		"for another recipient":  {w.calls(t, "PUT", mine+"?isTargetedActivity=true", private(w.mri(t, "bob"), "1")), "BadArgument"},
		"rewritten as it should": {w.calls(t, "PUT", mine+"?isTargetedActivity=true", plain("still only for you")), ""},
	} {
		if row.a.code() != row.code {
			t.Errorf("%s: %d %v", name, row.a.status, row.a.body)
		}
	}
	contains(t, w.sees(t, "alice"), "still only for you")
	w.pass(25 * time.Hour)
	lacks(t, w.sees(t, "alice"), "only for you")
	if a := w.calls(t, "PUT", mine+"?isTargetedActivity=true", plain("x")); a.code() != "TARGETED_MESSAGE_EXPIRED_OR_DELETED" {
		t.Errorf("%d %v", a.status, a.body)
	}
	w.SetCommands()
	if a := w.calls(t, "POST", target, private(w.mri(t, "alice"), asked["id"])); a.code() != "BadArgument" {
		t.Errorf("without targeted messages: %d %v", a.status, a.body)
	}
}
