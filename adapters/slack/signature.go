package slack

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/slack-go/slack"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// take reads a request of Slack's and checks its signature over the raw bytes,
// before anything looks into them. It answers what it refuses, and reports
// false then.
//
// The signature covers neither the query string, which is dropped, nor that the
// request comes for the first time: see once.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, contentType string) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		h.answer(w, h.unread(err))
		return nil, false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != contentType {
		// slack-go parses another type into an empty command without an error.
		h.answer(w, h.refuse(http.StatusUnsupportedMediaType, ContentType))
		return nil, false
	}
	if err := verify(r.Header, h.cfg.SigningSecret.Reveal(), body); err != nil {
		if asksForTLS(body) {
			h.answer(w, accepted)
			return nil, false
		}
		h.answer(w, h.refuse(http.StatusUnauthorized, Signature))
		return nil, false
	}
	r.URL.RawQuery = ""
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, true
}

func (h *Handler) unread(err error) ack {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return h.refuse(http.StatusRequestEntityTooLarge, TooLarge)
	}
	return h.refuse(http.StatusBadRequest, Malformed)
}

// verify checks Slack's signature and that it was made within five minutes.
func verify(header http.Header, secret string, body []byte) error {
	v, err := slack.NewSecretsVerifier(header, secret)
	if err != nil {
		return err
	}
	if _, err := v.Write(body); err != nil {
		return err
	}
	return v.Ensure()
}

// asksForTLS recognises Slack's check of a command URL's certificate, which may
// come unsigned. It gets a bare 200, and nothing else of it is looked at.
func asksForTLS(body []byte) bool {
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		if bytes.Equal(pair, []byte("ssl_check=1")) {
			return true
		}
	}
	return false
}
