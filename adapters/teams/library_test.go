package teams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infracloudio/msbotbuilder-go/connector/client"
	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/core/activity"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/adapters/teams"
	"elevate/internal/pim"
)

// These tests hold what msbotbuilder-go v0.2.5 does beside what stands in its
// place here. One that fails for the library says that the library has been
// mended, and that what mends it here may go.
//
// What it does when many come at once stands in libraryatonce_test.go: its data
// races would fail the tests themselves under the race detector.

// stock is the library as its own constructor makes it, on a network that is
// ours. It has no other seam for that than the process's default transport, so
// these tests do not run beside each other.
func stock(t *testing.T, with core.AdapterSetting) (core.Adapter, *network) {
	t.Helper()
	n := newNetwork()
	before := http.DefaultTransport                      //nolint:forbidigo // the library has no other seam
	http.DefaultTransport = n                            //nolint:forbidigo // the library has no other seam
	t.Cleanup(func() { http.DefaultTransport = before }) //nolint:forbidigo // as it was
	n.on("POST token", answer(200, `{"access_token":"`+botToken+`","expires_in":3600}`))
	if with.AppID == "" {
		with.AppID, with.AppPassword = appID, "sandbox-secret"
	}
	adapter, err := core.NewBotAdapter(with)
	if err != nil {
		t.Fatal(err)
	}
	return adapter, n
}

// parse gives the library a request.
func parse(adapter core.Adapter, authorization string, body []byte) (a schema.Activity, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	r := httptest.NewRequest(http.MethodPost, "/api/messages", strings.NewReader(string(body)))
	r.Header.Set("Authorization", authorization)
	return adapter.ParseRequest(r.Context(), r)
}

var errPanicked = errors.New("the library panicked")

// takes reports whether the library takes a token with a good activity.
func takes(t *testing.T, authorization string) bool {
	t.Helper()
	adapter, _ := stock(t, core.AdapterSetting{})
	_, err := parse(adapter, authorization, asJSON(typed(nil)))
	if errors.Is(err, errPanicked) {
		t.Error("the library panicked")
	}
	return err == nil
}

func TestLibraryReadsTheMetadataForEachToken(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	for range 5 {
		_, _ = parse(adapter, "Bearer "+sign(object{"alg": "RS256", "kid": "junk"}, object{}, otherKey()), asJSON(typed(nil)))
	}
	if got := len(n.to(keysHost)); got != 6 {
		t.Errorf("the library made %d calls for five tokens, not 6", got)
	}
	b := newBench(t, nil)
	for range 5 {
		b.sendAs(typed(nil), "Bearer "+sign(object{"alg": "RS256", "kid": "junk"}, object{}, otherKey()))
	}
	if got := len(b.net.to(keysHost)); got != 2 {
		t.Errorf("we made %d calls", got)
	}
}

func TestLibraryIgnoresWhereTheMetadataIs(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{OpenIDMetadata: "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"})
	_, _ = parse(adapter, "Bearer "+token(nil), asJSON(typed(nil)))
	if len(n.to(keysHost)) == 0 || len(n.to("login.botframework.azure.us")) != 0 {
		t.Error("the library asks where it is told")
	}
	// Ours: TestTheGovernmentsCloudHasItsOwnIssuer.
}

func TestLibraryTakesTheMetadataOfAFailure(t *testing.T) {
	failed := answer(500, string(asJSON(object{"jwks_uri": jwks})))
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("GET openidconfiguration", failed)
	if _, err := parse(adapter, "Bearer "+token(nil), asJSON(typed(nil))); err != nil {
		t.Errorf("the library does not: %v", err)
	}
	b := newBench(t, nil)
	b.net.on("GET openidconfiguration", failed)
	b.silent(t, b.send(typed(nil)), http.StatusServiceUnavailable, teams.NoKeys)
}

func TestLibraryLeavesTheMetadataOpen(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	for range 3 {
		_, _ = parse(adapter, "Bearer "+token(nil), asJSON(typed(nil)))
	}
	if got := n.unclosed(); got != 3 {
		t.Errorf("the library left %d answers open, not 3", got)
	}
	b := newBench(t, nil)
	b.send(fresh(1))
	mustPost(t, b, general)
	b.handler.Close()
	if calls, got := len(b.net.to(keysHost)), b.net.unclosed(); calls == 0 || got != 0 {
		t.Errorf("we left %d answers open after %d calls for keys", got, calls)
	}
}

// TestLibraryThrowsTheClaimsAway: what two tokens say differs, and whoever
// handles the activity cannot see it.
func TestLibraryThrowsTheClaimsAway(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	forTeams, forMail := jwk("k1", theKey(), "msteams"), jwk("k2", otherKey(), "email")
	n.publish(forTeams, forMail)
	one, err := parse(adapter, "Bearer "+token(nil), asJSON(typed(nil)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := parse(adapter, withKey("k2"), asJSON(typed(nil)))
	if err != nil || !reflect.DeepEqual(one, other) {
		t.Errorf("the library tells them apart: %v", err)
	}
	b := newBench(t, nil)
	b.net.publish(forTeams, forMail)
	if w := b.send(typed(nil)); w.Code != http.StatusOK {
		t.Errorf("answered %d", w.Code)
	}
	if w := b.sendAs(fresh(2), withKey("k2")); w.Code == http.StatusOK {
		t.Error("we do not tell them apart")
	}
}

func TestLibraryDoesNotSeeANewKey(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	b := newBench(t, nil)
	if _, err := parse(adapter, "Bearer "+token(nil), asJSON(typed(nil))); err != nil {
		t.Fatal(err)
	}
	b.send(fresh(1))
	n.publish(jwk("k2", otherKey(), "msteams"))
	if _, err := parse(adapter, withKey("k2"), asJSON(typed(nil))); err == nil {
		t.Error("the library sees it")
	}
	// Ours: TestANewKeyIsLookedForAtOnceAndThenSeldom.
}

// TestLibraryAndTokens lists tokens that the library and we judge differently.
func TestLibraryAndTokens(t *testing.T) {
	for name, row := range map[string]struct {
		authorization string
		library, ours bool
	}{
		"over for a second":        {"Bearer " + token(object{"exp": at(-2 * time.Second)}), false, true},
		"valid in five seconds":    {"Bearer " + token(object{"nbf": at(5 * time.Second)}), false, true},
		"made five seconds ahead":  {"Bearer " + token(object{"iat": at(5 * time.Second)}), false, true},
		"without an end":           {"Bearer " + token(object{"exp": nil}), true, false},
		"without the word Bearer":  {token(nil), true, false},
		"a service with no slash":  {"Bearer " + token(object{"serviceurl": strings.TrimSuffix(service, "/")}), false, true},
		"a service in capitals":    {"Bearer " + token(object{"serviceurl": strings.ToUpper(service)}), false, true},
		"as both want it":          {"Bearer " + token(nil), true, true},
		"of nobody's key":          {"Bearer " + sign(object{"alg": "RS256", "kid": "k1"}, claimsNow(nil), otherKey()), false, false},
		"without any signature":    {"Bearer " + none("none"), false, false},
		"signed by the public key": {"Bearer " + hs256(publicPEM(t)), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := takes(t, row.authorization); got != row.library {
				t.Errorf("the library takes it: %v", got)
			}
			b := newBench(t, nil)
			if got := b.sendAs(typed(nil), row.authorization).Code == http.StatusOK; got != row.ours {
				t.Errorf("we take it: %v", got)
			}
		})
	}
}

func TestLibraryPanicsOnClaims(t *testing.T) {
	for name, row := range map[string]struct {
		claims object
		ours   int
	}{
		"no service":              {object{"serviceurl": nil}, http.StatusUnauthorized},
		"a service of a number":   {object{"serviceurl": 1}, http.StatusUnauthorized},
		"no issuer":               {object{"iss": nil}, http.StatusUnauthorized},
		"no audience":             {object{"aud": nil}, http.StatusUnauthorized},
		"we are one of audiences": {object{"aud": []string{appID}}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			adapter, _ := stock(t, core.AdapterSetting{})
			if _, err := parse(adapter, "Bearer "+token(row.claims), asJSON(typed(nil))); !errors.Is(err, errPanicked) {
				t.Error("the library does not panic")
			}
			b := newBench(t, nil)
			if w := b.sendAs(typed(nil), "Bearer "+token(row.claims)); w.Code != row.ours || b.counts.at(teams.Panicked) != 0 {
				t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
			}
		})
	}
}

func TestLibraryHeedsNoEndorsementsAndNoChannel(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.publish(jwk("k1", theKey()))
	if _, err := parse(adapter, "Bearer "+token(nil), asJSON(typed(object{"channelId": "emulator"}))); err != nil {
		t.Errorf("the library heeds them: %v", err)
	}
	// Ours: TestTheKeyMustBeEndorsedForTeams, TestActivitiesThatTheirTokenIsNotFor.
}

func TestLibraryWithoutAnAppIDChecksNothing(t *testing.T) {
	adapter, _ := stock(t, core.AdapterSetting{AppID: " "})
	adapter.(*core.BotFrameworkAdapter).AppID = ""
	adapter.(*core.BotFrameworkAdapter).CredentialProvider = emptyCredentials{}
	if _, err := parse(adapter, "anything", asJSON(typed(nil))); err != nil {
		t.Errorf("the library checks: %v", err)
	}
	// Ours: TestABotWithoutAnAppIDIsNotMade.
}

type emptyCredentials struct{}

func (emptyCredentials) IsValidAppID(string) bool       { return false }
func (emptyCredentials) GetAppPassword() string         { return "" }
func (emptyCredentials) GetAppID() string               { return "" }
func (emptyCredentials) IsAuthenticationDisabled() bool { return true }

// body counts what is read of it.
type body struct {
	io.Reader
	read int
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func TestLibraryReadsAnyBodyBeforeTheToken(t *testing.T) {
	large := `{"text":"` + strings.Repeat("x", 10<<20) + `"}`
	adapter, _ := stock(t, core.AdapterSetting{})
	given := &body{Reader: strings.NewReader(large)}
	r := httptest.NewRequest(http.MethodPost, "/", given)
	r.Header.Set("Authorization", "junk")
	if _, err := adapter.ParseRequest(t.Context(), r); err == nil || given.read < 10<<20 {
		t.Errorf("the library read %d bytes: %v", given.read, err)
	}

	for name, row := range map[string]struct {
		authorization string
		status, most  int
	}{
		"with junk":         {"junk", http.StatusUnauthorized, 0},
		"with a good token": {"Bearer " + token(nil), http.StatusRequestEntityTooLarge, 300 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			given := &body{Reader: strings.NewReader(large)}
			r := httptest.NewRequest(http.MethodPost, "/api/messages", given)
			r.Header.Set("Authorization", row.authorization)
			r.Header.Set("Content-Type", "application/json")
			if w := b.serve(r); w.Code != row.status || given.read > row.most {
				t.Errorf("answered %d, read %d bytes", w.Code, given.read)
			}
		})
	}
}

// TestLibraryAndActivities lists activities that the library does not take, or
// not whole, and we do.
func TestLibraryAndActivities(t *testing.T) {
	const trailing = "what trails"
	for name, row := range map[string]struct {
		with  object
		takes bool // the library decodes it
	}{
		"a time without a zone":     {object{"timestamp": "2026-11-27T02:00:00.000"}, false},
		"a time that is none":       {object{"localTimestamp": "soon"}, false},
		"a value that is a text":    {object{"value": "approve"}, false},
		"a value that is a list":    {object{"value": []int{1}}, false},
		"a value of a number":       {object{"value": 5}, false},
		"unknown entities":          {object{"entities": []any{object{"type": "ClientCapabilities", "x": []int{1}}, object{"type": "https://schema.org/Message"}}}, true},
		"an entity of another form": {object{"entities": []any{"text", 1, nil, object{"type": "mention", "mentioned": "x"}}}, false},
		"channelData of a text":     {object{"channelData": "text"}, false},
		"a suggested action's text": {object{"suggestedActions": object{"actions": []any{object{"value": "text"}}}}, false},
		"members the other way":     {object{"membersAdded": object{"id": "x"}}, false},
		trailing:                    {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			raw := asJSON(typed(row.with))
			if name == trailing {
				raw = append(raw, []byte(`{"more":1}`)...)
			}
			adapter, _ := stock(t, core.AdapterSetting{})
			if _, err := parse(adapter, "Bearer "+token(nil), raw); (err == nil) != row.takes {
				t.Errorf("the library says %v", err)
			}
			b := newBench(t, nil)
			w := b.sendRaw(string(raw), "Bearer "+token(nil))
			if want := name != trailing; (w.Code == http.StatusOK) != want {
				t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
			}
		})
	}
}

func TestLibraryLosesMentionsAndWhoIsMeant(t *testing.T) {
	raw := asJSON(typed(object{
		"text": "<at>Elevate</at> status", "recipient": object{"id": bot, "isTargeted": true},
		"entities": []any{object{"type": "mention", "text": "<at>Elevate</at>", "mentioned": object{"id": bot}}},
	}))
	adapter, _ := stock(t, core.AdapterSetting{})
	a, err := parse(adapter, "Bearer "+token(nil), raw)
	if err != nil {
		t.Fatal(err)
	}
	if again := string(asJSON(a)); strings.Contains(again, "mentioned") || strings.Contains(again, "isTargeted") {
		t.Errorf("the library keeps them: %s", again)
	}
	b := newBench(t, nil)
	b.sendRaw(string(raw), "Bearer "+token(nil))
	b.handler.Close()
	if !slices.Equal(b.service.said, []string{"status"}) {
		t.Errorf("said %q", b.service.said)
	}
}

func TestLibraryMakesAnErrorOfWhatItDoesNotKnow(t *testing.T) {
	for _, kind := range []string{"installationUpdate", "messageReaction", "messageUpdate", "messageDelete", "event", "typing", "endOfConversation", "trace", "brandNew", ""} {
		t.Run(kind, func(t *testing.T) {
			adapter, _ := stock(t, core.AdapterSetting{})
			if err := adapter.ProcessActivity(t.Context(), schema.Activity{Type: schema.ActivityTypes(kind), ServiceURL: service}, activity.HandlerFuncs{}); err == nil {
				t.Error("the library takes it")
			}
			b := newBench(t, nil)
			if w := b.send(typed(object{"type": kind})); w.Code != http.StatusOK || w.Body.Len() != 0 || b.service.told() != 0 {
				t.Errorf("answered %d %q", w.Code, w.Body)
			}
		})
	}
}

// say has the library send a text into a conversation.
func say(t *testing.T, adapter core.Adapter, conversation string) error {
	t.Helper()
	ref := schema.ConversationReference{ServiceURL: service, ChannelID: "msteams", Conversation: schema.ConversationAccount{ID: conversation}}
	return adapter.ProactiveMessage(t.Context(), ref, activity.HandlerFuncs{
		OnMessageFunc: func(turn *activity.TurnContext) (schema.Activity, error) {
			return turn.SendActivity(activity.MsgOptionText("hello"))
		},
	})
}

func TestLibraryAsksTheOldTenantForItsToken(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{ChannelAuthTenant: tenant, OauthEndpoint: "https://login.microsoftonline.com/" + tenant})
	if err := say(t, adapter, channelID); err != nil {
		t.Fatal(err)
	}
	if calls := n.to("login.microsoftonline.com"); len(calls) != 1 || calls[0].path != "/botframework.com/oauth2/v2.0/token" {
		t.Errorf("the library asked %v", calls)
	}
	b := newBench(t, nil)
	if _, err := b.client.Post(t.Context(), general, hello); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.credential.scopes, []string{"https://api.botframework.com/.default"}) || len(b.net.to("login.microsoftonline.com")) != 0 {
		t.Errorf("we asked for %v", b.credential.scopes)
	}
}

func TestLibraryPanicsWithoutTheTokenEndpoint(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("POST token", func(call) *answered { return nil })
	panicked := func() (yes bool) {
		defer func() { yes = recover() != nil }()
		_ = say(t, adapter, channelID)
		return false
	}()
	if !panicked {
		t.Error("the library does not")
	}
	b := newBench(t, nil)
	b.credential.err = errors.New("AADSTS700016 client_secret=hunter2 https://login.microsoftonline.com/")
	_, err := b.client.Post(t.Context(), general, hello)
	if !pim.IsKind(err, pim.Unavailable) || len(b.net.written()) != 0 || leaks(err) {
		t.Errorf("%v, called %v", err, b.net.written())
	}
}

func TestLibraryReadsNoLifetimeThatIsAText(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("POST token", answer(200, `{"access_token":"`+botToken+`","expires_in":"3600"}`))
	if err := say(t, adapter, channelID); err == nil || len(n.written()) != 0 {
		t.Errorf("the library does: %v", err)
	}
	// Ours is azidentity's, in adapters/entra: TestALifetimeMayBeAText.
}

func TestLibrarySendsWithoutAToken(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("POST token", answer(400, `{"error":"unauthorized_client"}`))
	if err := say(t, adapter, channelID); err != nil {
		t.Errorf("the library says %v", err)
	}
	if calls := n.written(); len(calls) != 1 || strings.TrimSpace(calls[0].header.Get("Authorization")) != "Bearer" {
		t.Errorf("the library sent %v", calls)
	}
	b := newBench(t, nil)
	b.credential.token = ""
	if _, err := b.client.Post(t.Context(), general, hello); !pim.IsKind(err, pim.Unavailable) || len(b.net.written()) != 0 {
		t.Errorf("%v, called %v", err, b.net.written())
	}
}

func TestLibrarySendsWhatClientsDoNotShow(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	if err := say(t, adapter, channelID); err != nil {
		t.Fatal(err)
	}
	unwanted := []string{"suggestedActions", "relatesTo", "semanticAction", "timestamp", "localTimestamp", "expiration"}
	for _, name := range unwanted {
		if _, sent := n.written()[0].body[name]; !sent {
			t.Errorf("the library does not send %s", name)
		}
	}
	b := newBench(t, nil)
	ref := mustPost(t, b, general)
	if err := b.client.Update(t.Context(), ref, hello); err != nil {
		t.Fatal(err)
	}
	post, _ := b.net.written()[0].body["activity"].(object)
	for _, sent := range []object{post, b.net.written()[1].body} {
		for _, name := range append(unwanted, "serviceUrl", "channelId") {
			if _, there := sent[name]; there || sent["type"] != "message" || sent["attachments"] == nil {
				t.Errorf("we sent %s in %v", name, sent)
			}
		}
	}
}

func TestLibraryLetsIDsWalkUpThePath(t *testing.T) {
	const evil = "../../../v3/conversations/another"
	adapter, n := stock(t, core.AdapterSetting{})
	if err := say(t, adapter, evil); err != nil {
		t.Fatal(err)
	}
	if got := n.written()[0].path; got != "/v3/conversations/another/activities" {
		t.Errorf("the library called %s", got)
	}
	b := newBench(t, nil)
	_ = b.client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1?x=y/../..", Channel: evil}, hello)
	if got := b.net.written()[0].path; got != "/teams/v3/conversations/..%2F..%2F..%2Fv3%2Fconversations%2Fanother/activities/1%3Fx=y%2F..%2F.." {
		t.Errorf("we called %s", got)
	}
	for _, id := range []string{".", ".."} {
		if err := b.client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1", Channel: id}, hello); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if n := len(b.net.written()); n != 1 {
		t.Errorf("called %d times", n)
	}
}

func TestLibraryDropsTheAnswer(t *testing.T) {
	for name, method := range map[string]any{"Post": client.Client.Post, "ProactiveMessage": core.Adapter.ProactiveMessage} {
		if kind := reflect.TypeOf(method); kind.NumOut() != 1 {
			t.Errorf("the library's %s has more to say than whether it failed: %s", name, kind)
		}
	}
	b := newBench(t, nil)
	if ref := mustPost(t, b, general); ref.ID != "1" || ref.Channel != channelID+";messageid=1" || ref.Conversation != general {
		t.Errorf("got %+v", ref)
	}
}

func TestLibraryLosesWhatTeamsSaysOfAFailure(t *testing.T) {
	busy := func(call) *answered {
		a := reply(429, `{"error":{"code":"TooManyRequests"}}`)
		a.header.Set("Retry-After", "7")
		return a
	}
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("POST activities", busy)
	err := say(t, adapter, channelID)
	if text := fmt.Sprintf("%+v", err); err == nil || strings.Contains(text, "TooManyRequests") || strings.Contains(text, "7 s") {
		t.Errorf("the library says %s", text)
	}
	b := newBench(t, nil)
	b.knows(nil)
	b.net.on("POST activities", busy)
	_, err = b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
	if e := pim.Explain(err); e.Kind != pim.Throttled || e.Code != "TooManyRequests" || e.RetryAfter != 7*time.Second {
		t.Errorf("we say %+v", e)
	}
}

func TestLibraryNamesTheWrongMessageForAReply(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	asked := schema.Activity{Type: schema.Message, ID: "m7", ServiceURL: service, Conversation: schema.ConversationAccount{ID: channelID}}
	err := adapter.ProcessActivity(t.Context(), asked, activity.HandlerFuncs{
		OnMessageFunc: func(turn *activity.TurnContext) (schema.Activity, error) {
			return turn.SendActivity(activity.MsgOptionText("hello"))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.written()[0]; strings.HasSuffix(got.path, "/m7") || got.body["replyToId"] != "m7" {
		t.Errorf("the library called %s with %v", got.path, got.body)
	}
	b := newBench(t, nil)
	b.net.on("GET members", answer(200, `{"id":"`+aliceMRI+`","aadObjectId":"`+alice+`","tenantId":"`+tenant+`","userRole":"guest"}`))
	b.send(inChannel(object{"id": "m7"})) // who may not use Elevate reads so where they spoke
	b.handler.Close()
	if got := b.net.written(); len(got) != 1 || !strings.HasSuffix(got[0].path, "/activities/m7") {
		t.Errorf("we called %+v", got)
	}
}

func TestLibraryHasNoAnswerToAnInvoke(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	click := schema.Activity{Type: schema.Invoke, ServiceURL: service, Conversation: schema.ConversationAccount{ID: channelID}}
	answers := func(a schema.Activity) error {
		return adapter.ProcessActivity(t.Context(), click, activity.HandlerFuncs{
			OnInvokeFunc: func(*activity.TurnContext) (schema.Activity, error) { return a, nil },
		})
	}
	said := click
	said.Type, said.Text = schema.Message, "Approved."
	if err := answers(said); err != nil || len(n.written()) != 1 {
		t.Errorf("the library posts no message instead: %v, called %v", err, n.written())
	}
	if _ = answers(schema.Activity{}); len(n.to("")) != 1 {
		t.Error("the library can send nothing: it does not call a service without a name")
	}
	b := newBench(t, nil)
	b.service.answer.Card = &hello
	if w := b.send(clicked(nil)); !strings.Contains(w.Body.String(), "Hello") || len(b.net.written()) != 0 {
		t.Errorf("we answered %q, called %v", w.Body, b.net.written())
	}
}

func TestLibraryTakesNoContentForAFailure(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("PUT", answer(204, ""))
	a := schema.Activity{Type: schema.Message, ID: "1", ServiceURL: service, Conversation: schema.ConversationAccount{ID: channelID}}
	if err := adapter.UpdateActivity(t.Context(), a); err == nil {
		t.Error("the library does not")
	}
	b := newBench(t, nil)
	b.net.on("PUT", answer(204, ""))
	if err := b.client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1", Channel: channelID}, hello); err != nil {
		t.Errorf("we do: %v", err)
	}
}

func TestLibraryHeedsNoContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	adapter, n := stock(t, core.AdapterSetting{})
	ref := schema.ConversationReference{ServiceURL: service, Conversation: schema.ConversationAccount{ID: channelID}}
	_ = adapter.DeleteActivity(ctx, "1", ref)
	if len(n.written()) == 0 {
		t.Error("the library does")
	}
	b := newBench(t, nil)
	if _, err := b.client.Post(ctx, general, hello); err == nil {
		t.Error("we do not")
	}
}

func TestLibraryWaitsForEver(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	if err := say(t, adapter, channelID); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(n.written(), n.to("login.microsoftonline.com")...) {
		if c.bounded {
			t.Errorf("the library's call of %s ends by itself", c.host)
		}
	}
	b := newBench(t, nil)
	b.send(typed(nil))
	mustPost(t, b, general)
	for _, c := range slices.Concat(b.net.written(), b.net.to(keysHost)) {
		if !c.bounded {
			t.Errorf("ours of %s does not", c.host)
		}
	}
}

// leaks reports whether an error carries what must not leave.
func leaks(err error) bool {
	text := err.Error() + string(mustMarshal(pim.Explain(err)))
	for _, secret := range []string{botToken, "hunter2", "https://", "login.microsoftonline", connector, "10.0.0"} {
		if strings.Contains(text, secret) {
			return true
		}
	}
	return false
}

func mustMarshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func mustPost(t *testing.T, b *bench, to pim.Conversation) pim.MessageRef {
	t.Helper()
	ref, err := b.client.Post(t.Context(), to, hello)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
