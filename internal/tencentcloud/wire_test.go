// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// onTheWire starts a server that answers each request with these bytes and closes the connection. It returns the address.
func onTheWire(t *testing.T, body string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
					_, _ = connection.Write([]byte(body))
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func overHTTP(address string, proxy proxyFunc) *Client {
	return newClient(Endpoints{Override: &url.URL{Scheme: "http", Host: address}}, proxy)
}

// The errors of net/http quote what a server sends instead of an HTTP answer.
func TestQuotedOnTheWire(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, format := range map[string]string{
		"not HTTP": "%s\r\n\r\n", "protocol": "HTTP/%s 200 OK\r\n\r\n", "status": "HTTP/1.1 %s\r\n\r\n", "reason": "HTTP/1.1 503 %s\r\nContent-Length: 0\r\n\r\n",
		"header line": ok + "X-TC-Token %s\r\n\r\n", "header": "HTTP/1.1 401 Unauthorized\r\nX-TC-Token: %s\r\nContent-Length: 0\r\n\r\n",
		"length": ok + "Content-Length: %s\r\n\r\n", "encoding": ok + "Transfer-Encoding: %s\r\n\r\n", "chunk": ok + "Transfer-Encoding: chunked\r\n\r\n%s\r\n",
		"redirect":     "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/%s\r\nContent-Length: 0\r\n\r\n",
		"bad redirect": "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://[%s\r\nContent-Length: 0\r\n\r\n",
		"event stream": ok + "Content-Type: text/event-stream\r\nX-TC-RequestId: %s\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, secret := range quotedForms(quotable) {
				checkCalls(t, overHTTP(onTheWire(t, fmt.Sprintf(format, secret)), nil))
			}
		})
	}
}

// A server can write anything into the reason phrase of its status line.
func TestReasonPhraseIsNotQuoted(t *testing.T) {
	t.Parallel()
	client := overHTTP(onTheWire(t, "HTTP/1.1 503 go to http://evil.example\r\nContent-Length: 0\r\n\r\n"), nil)
	_, err := client.Stop(t.Context(), creds, job)
	if err == nil || strings.Contains(err.Error(), "evil") || !strings.Contains(err.Error(), "HTTP 503 Service Unavailable") {
		t.Errorf("got %v", err)
	}
}

func TestProxyPasswordIsRedacted(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"p4ssw0rd-of-proxy", "hunter2"} {
		basic := base64.StdEncoding.EncodeToString([]byte("opsuser:" + password))
		said := "Basic " + basic
		if len(password) >= shortest {
			said += " or " + password
		}
		for name, body := range map[string]string{
			"reason":   "HTTP/1.1 407 no " + password + " " + basic + "\r\nContent-Length: 0\r\n\r\n",
			"protocol": said + "\r\n\r\n",
			"answer": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" +
				`{"Response":{"Error":{"Code":"` + basic + `","Message":"no ` + said + `"},"RequestId":"` + basic + `"}}`,
		} {
			for _, scheme := range []string{"http", "https"} {
				proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: onTheWire(t, body), User: url.UserPassword("opsuser", password)})
				_, err := newClient(Endpoints{Override: &url.URL{Scheme: scheme, Host: "cloud.invalid"}}, proxy).Stop(t.Context(), creds, job)
				if err == nil || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), basic) {
					t.Errorf("%s over %s: got %v", name, scheme, err)
				}
			}
		}
	}
}

// When a proxy refuses to connect, the error has the HTTP status, and nothing was sent to the cloud.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: onTheWire(t, "HTTP/1.1 407 see http://evil.example\r\nContent-Length: 0\r\n\r\n")})
	_, err := newClient(Endpoints{Override: &url.URL{Scheme: "https", Host: "cloud.invalid"}}, proxy).Stop(t.Context(), creds, job)
	var cloudError *importjob.Error
	if !errors.As(err, &cloudError) || cloudError.OutcomeUnknown || cloudError.Message != "the proxy answered HTTP 407 Proxy Authentication Required" {
		t.Errorf("got %+v", cloudError)
	}
}

func TestProxyURLIsRedacted(t *testing.T) {
	t.Parallel()
	client := overHTTP("cloud.invalid", func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://user:hunter2@proxy:3128"`)
	})
	_, err := client.Stop(t.Context(), creds, job)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "proxy:3128") {
		t.Errorf("got %v", err)
	}
}

func TestLongHeaderIsRefused(t *testing.T) {
	t.Parallel()
	body := `{"Response":{"RequestId":"r"}}`
	header := "HTTP/1.1 200 OK\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n"
	if id, err := overHTTP(onTheWire(t, header+"\r\n"+body), nil).Stop(t.Context(), creds, job); err != nil || id != "r" {
		t.Errorf("a short header: %q, %v", id, err)
	}
	for _, long := range []string{"X-Long: " + strings.Repeat("x", 9<<20) + "\r\n", strings.Repeat("X-Many: "+strings.Repeat("x", 1000)+"\r\n", 9<<10)} {
		_, err := overHTTP(onTheWire(t, header+long+"\r\n"+body), nil).Stop(t.Context(), creds, job)
		var cloudError *importjob.Error
		if !errors.As(err, &cloudError) || cloudError.Code != codeNetwork || !cloudError.OutcomeUnknown {
			t.Errorf("9 MiB of headers: got %v", err)
		}
	}
}

// The content type of an answer makes no difference to how its body is read.
func TestEventStreamIsReadAsAnAnswer(t *testing.T) {
	t.Parallel()
	client := &Client{transport: answering{200, "OK", "text/event-stream", []byte(`{"Response":{"RequestId":"r"}}`)}}
	if id, err := client.Stop(t.Context(), creds, job); err != nil || id != "r" {
		t.Errorf("got %q, %v", id, err)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]importjob.Status{
		`"Status":"UNDEFINED"`: importjob.StatusUndefined, `"Status":"INITIAL"`: importjob.StatusInitial, `"Status":"RUNNING"`: importjob.StatusRunning,
		`"Status":"SUCCESS"`: importjob.StatusSuccess, `"Status":"FAILED"`: importjob.StatusFailed, `"Status":" KILLED\n"`: importjob.StatusKilled,
		`"Status":"REMOVED"`: importjob.StatusRemoved, `"Status":"PAUSED","Info":5`: importjob.StatusPaused,
		`"Status":null`: importjob.StatusUnknown, `"Info":null`: importjob.StatusUnknown, `"Status":""`: importjob.StatusUnknown,
		`"Status":5`: importjob.StatusUnknown, `"Status":["KILLED"]`: importjob.StatusUnknown, `"Status":{"a":{}},"Info":[]`: importjob.StatusUnknown,
		`"Status":"killed"`: importjob.StatusUnknown, `"Status":"KILLED canary-token"`: importjob.StatusUnknown, `"Status":"canary-token"`: importjob.StatusUnknown,
	} {
		client := &Client{transport: answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r",` + field + `}}`)}}
		if got, err := client.Describe(t.Context(), creds, job); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", field, got, err, want)
		}
	}
}

func TestUnreadableAnswers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"Response":{"RequestId":5}}`, `{"Response":{"RequestId":["r"],"Status":"KILLED"}}`, `{"Response":{"RequestId":null}}`,
		`{"Response":{"RequestId":5,"Error":{"Code":"InternalError"}}}`, `{"Response":{"RequestId":"r","Error":{"Code":"ClientError.Timeout"}}}`,
	} {
		client := &Client{transport: answering{200, "OK", "", []byte(body)}}
		_, stopped := client.Stop(t.Context(), creds, job)
		_, described := client.Describe(t.Context(), creds, job)
		for _, err := range []error{stopped, described} {
			var cloudError *importjob.Error
			if !errors.As(err, &cloudError) || cloudError.Code != codeUnreadable || cloudError.Class != importjob.Transient {
				t.Errorf("%s: got %v", body, err)
			}
		}
	}
}

// Replacing credentials of one letter would make 81 MiB of a message of 1 MiB, and an unknown code.
func TestShortCredentialsAndLongMessage(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(map[string]any{"Response": map[string]any{
		"RequestId": "A-1", "Error": map[string]string{"Code": "AuthFailure.SecretIdNotFound", "Message": strings.Repeat("A!", (maxBody-200)/2)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	client := &Client{transport: answering{200, "OK", "", body}}
	_, err = client.Stop(t.Context(), importjob.Credentials{SecretID: "A", SecretKey: "e", Token: "r"}, job)
	var cloudError *importjob.Error
	if !errors.As(err, &cloudError) || cloudError.Class != importjob.Rejected || cloudError.Code != "AuthFailure.SecretIdNotFound" || cloudError.RequestID != "A-1" || len(cloudError.Message) != maxMessage {
		t.Errorf("got %.200v", err)
	}
}

// The class is that of the code before redaction.
func TestClassOfARedactedCode(t *testing.T) {
	t.Parallel()
	client := &Client{transport: answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r","Error":{"Code":"AuthFailure.New","Message":""}}}`)}}
	_, err := client.Stop(t.Context(), importjob.Credentials{SecretID: "AuthFailure", SecretKey: "canary-key"}, job)
	var cloudError *importjob.Error
	if !errors.As(err, &cloudError) || cloudError.Class != importjob.Rejected || cloudError.Code == "AuthFailure.New" {
		t.Errorf("got %+v", cloudError)
	}
}
