package simslack

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"time"
)

const (
	hookPosts = 5
	hookLife  = 30 * time.Minute
)

// hook is a response URL.
type hook struct {
	person, channel string
	message         string // the message a click came from; empty for commands
	secret          string
	made            time.Time
	posts           int
}

// newHook makes a response URL. The lock is held.
func (s *Server) newHook(kind, person, channel, message string) string {
	if len(s.hooks) > 10_000 {
		maps.DeleteFunc(s.hooks, func(_ string, h *hook) bool { return s.cfg.Clock().Sub(h.made) > hookLife })
	}
	id, secret := s.newID("R"), randomHex(12)
	s.hooks[id] = &hook{person: person, channel: channel, message: message, secret: secret, made: s.cfg.Clock()}
	return s.cfg.URL + "/" + kind + "/" + s.cfg.Workspace.ID + "/" + id + "/" + secret
}

func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	fault := s.Take("response_url")
	if fault != nil && before(fault, w, r) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request_too_large", http.StatusRequestEntityTooLarge)
		return
	}
	status, answer := s.useHook(r.PathValue("id"), r.PathValue("secret"), body)
	if fault != nil && fault.After(w) {
		return
	}
	if status != http.StatusOK {
		http.Error(w, answer, status)
		return
	}
	_, _ = io.WriteString(w, answer)
}

// useHook carries out one post to a response URL.
func (s *Server) useHook(id, secret string, body []byte) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hooks[id]
	switch {
	case h == nil || subtle.ConstantTimeCompare([]byte(h.secret), []byte(secret)) != 1:
		return http.StatusNotFound, "not_found"
	case h.posts >= hookPosts:
		return http.StatusNotFound, "used_url"
	case s.cfg.Clock().Sub(h.made) > hookLife:
		return http.StatusNotFound, "expired_url"
	}
	fields, ok := decode(body)
	if !ok {
		return http.StatusBadRequest, "invalid_payload"
	}
	if err := s.hookPost(h, fields); err != nil {
		answer, _ := json.Marshal(failure(err))
		return http.StatusBadRequest, string(answer)
	}
	h.posts++
	return http.StatusOK, "ok"
}

// hookPost does what a post says: replace or delete the message a click came from, or say something new.
func (s *Server) hookPost(h *hook, fields object) error {
	r := s.room(h.channel)
	source := r.find(h.message)
	if fields["delete_original"] == true {
		if source == nil {
			return refuse("message_not_found")
		}
		s.remove(r, source)
		return nil
	}
	if fields["replace_original"] == true && source != nil {
		body, err := readContent(&call{args: fields})
		if err != nil {
			return err
		}
		if body.empty() {
			return refuse("no_text")
		}
		s.rewrite(source, body.text, body.blocks)
		return nil
	}
	return s.reply(r, h.person, fields)
}
