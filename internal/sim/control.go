package sim

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// actWithin ends an act over the control API.
const actWithin = time.Minute

// clockPath tells the world's time to whoever asks.
const clockPath = "/clock"

// pingPath is the sandbox's dead man's switch: it counts who says that they live.
const pingPath = "/ping"

// actRequest is the body of POST /act.
type actRequest struct {
	Words []string `json:"words"`
}

// actAnswer is what the control API says.
type actAnswer struct {
	Result

	Error   string        `json:"error,omitzero"`
	Unknown *UnknownError `json:"unknown,omitzero"` // set when nobody understood the words
}

// control is the API by which other processes act in the sandbox. Acts are POST only, so that no page a browser shows
// can cause one, and they need the token of the directory's file.
func (s *Sandbox) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /act", s.serveAct)
	mux.HandleFunc("GET /settings", s.serveSettings)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == clockPath {
			// The bot follows the world's clock; what time it is is no secret.
			_, _ = io.WriteString(w, s.Clock.Now().UTC().Format(time.RFC3339Nano))
			s.follower.looks(s.now())
			return
		}
		if r.Method == http.MethodGet && r.URL.Path == pingPath {
			s.pings.Add(1)
			return
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.Token)) != 1 {
			http.Error(w, "the token of "+addressFile+" is needed", http.StatusUnauthorized)
			return
		}
		http.MaxBytesHandler(mux, 64<<10).ServeHTTP(w, r)
	})
}

func (s *Sandbox) serveAct(w http.ResponseWriter, r *http.Request) {
	var asked actRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		answerJSON(w, http.StatusBadRequest, actAnswer{Error: "the body is not {\"words\":[…]}"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actWithin)
	defer cancel()
	result, err := s.Do(ctx, asked.Words)
	if err != nil {
		answer, status := actAnswer{Result: result, Error: err.Error()}, http.StatusUnprocessableEntity
		if errors.As(err, &answer.Unknown) {
			status = http.StatusBadRequest
		}
		answerJSON(w, status, answer)
		return
	}
	answerJSON(w, http.StatusOK, actAnswer{Result: result})
}

func (s *Sandbox) serveSettings(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, s.Settings())
}

// answerJSON writes an answer. A failed write means that the caller has gone.
func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
