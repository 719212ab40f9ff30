package simteams

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBody is how much of a call is read at all; what may stand in it is less.
const maxBody = 1 << 20

// The names of the connector's operations, for faults and Calls.
const (
	opSend     = "send"
	opReply    = "reply"
	opUpdate   = "update"
	opDelete   = "delete"
	opCreate   = "create"
	opMembers  = "members"
	opMember   = "member"
	opTeam     = "team"
	opChannels = "channels"
)

// operation is one call of the connector's interface.
type operation struct {
	name   string
	method string
	path   string // below v3/
	reads  bool
	run    func(*Server, *call) (int, any, *restError)
}

func operations() []operation {
	const activities = "conversations/{conversation}/activities"
	return []operation{
		{opCreate, http.MethodPost, "conversations", false, (*Server).create},
		{opSend, http.MethodPost, activities, false, (*Server).send},
		{opReply, http.MethodPost, activities + "/{activity}", false, (*Server).send},
		{opUpdate, http.MethodPut, activities + "/{activity}", false, (*Server).update},
		{opDelete, http.MethodDelete, activities + "/{activity}", false, (*Server).delete},
		{opMembers, http.MethodGet, "conversations/{conversation}/members", true, (*Server).members},
		{opMembers, http.MethodGet, "conversations/{conversation}/pagedmembers", true, (*Server).pagedMembers},
		{opMember, http.MethodGet, "conversations/{conversation}/members/{member}", true, (*Server).memberByID},
		{opTeam, http.MethodGet, "teams/{team}", true, (*Server).team},
		{opChannels, http.MethodGet, "teams/{team}/conversations", true, (*Server).channels},
	}
}

// call is one call as it arrived.
type call struct {
	conversation string // without its thread
	thread       string
	activity     string
	member       string
	team         string
	query        url.Values
	body         object
	targeted     bool
}

// Call is a call of the bot's, as it was answered; Status is 0 where a fault kept it from being carried out,
// and Code says which.
type Call struct {
	Name         string
	Conversation string
	Status       int
	Code         string
}

// Calls lists what the bot has called so far, metadata and keys included.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *Server) record(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

// serveOperation checks who calls before it reads what they say.
func (s *Server) serveOperation(o operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		note := Call{Name: o.name, Conversation: r.PathValue("conversation")}
		fault := s.Take(o.name)
		if fault != nil && before(fault, w, r) {
			note.Code = string(fault.Kind)
			s.record(note)
			return
		}
		status, answer, e := s.answer(o, r)
		note.Status = status
		if e != nil {
			note.Status, note.Code = e.status, e.code
		}
		s.record(note)
		switch {
		case fault != nil && fault.After(w):
		case e != nil && e.code == "":
			denied(w)
		case e != nil:
			e.write(w)
		default:
			writeJSON(w, status, answer)
		}
	}
}

func (s *Server) answer(o operation, r *http.Request) (int, any, *restError) {
	if e := s.permit(r); e != nil {
		return 0, nil, e
	}
	c, e := readCall(r)
	if e != nil {
		return 0, nil, e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.throttle(o, s.lane(o, c)); e != nil {
		return 0, nil, e
	}
	return o.run(s, c)
}

// lane is the conversation a call counts for; that of a creation is whom or what it is with.
func (s *Server) lane(o operation, c *call) string {
	if o.name != opCreate {
		return c.conversation + c.team
	}
	data, _ := c.body["channelData"].(object)
	channel, _ := data["channel"].(object)
	members, _ := c.body["members"].([]any)
	if len(members) > 0 {
		first, _ := members[0].(object)
		return text(first["id"])
	}
	return text(channel["id"])
}

// permit reads the bot's token. An error without a code is one for a token that is not good.
func (s *Server) permit(r *http.Request) *restError {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return &restError{status: http.StatusUnauthorized}
	}
	caller, err := s.cfg.Caller(token)
	if err != nil || !strings.EqualFold(caller.Tenant, s.cfg.Tenant) {
		return &restError{status: http.StatusUnauthorized}
	}
	if !strings.EqualFold(caller.AppID, s.cfg.App.ID) {
		return refuse("BotNotRegistered")
	}
	if tenant := r.PathValue("tenant"); tenant != "" && !strings.EqualFold(tenant, s.cfg.Tenant) {
		return refuse("InvalidBotApiHost")
	}
	return nil
}

func readCall(r *http.Request) (*call, *restError) {
	c := &call{
		activity: r.PathValue("activity"), member: r.PathValue("member"), team: r.PathValue("team"), query: r.URL.Query(),
		targeted: strings.EqualFold(r.URL.Query().Get("isTargetedActivity"), "true"),
	}
	c.conversation, c.thread = split(r.PathValue("conversation"))
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return c, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, refuse("UnsupportedMediaType")
	}
	raw, err := io.ReadAll(r.Body)
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, refuse("MessageSizeTooBig")
	}
	if err != nil || json.Unmarshal(raw, &c.body) != nil || c.body == nil {
		e := refuse("BadSyntax")
		e.message = "Bad format of activity"
		return nil, e
	}
	return c, nil
}
