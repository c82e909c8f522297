using System.Net;
using System.Net.Http.Headers;
using System.Text;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class AccessTests
{
    private const string Password = "correct horse";

    [Fact]
    public void An_address_that_others_reach_needs_a_password()
    {
        foreach (var url in new[] { "http://0.0.0.0:8042", "http://*:8042", "http://[::]:8042", "http://10.0.0.1:8042", "http://gateway.example:8042" })
        {
            Assert.Contains("Gateway:Http:Url", Assert.Single(new HttpOptions { Url = url }.Problems("Gateway:Http")), StringComparison.Ordinal);
            Assert.Empty(new HttpOptions { Url = url, PasswordHash = PasswordHash.Create(Password) }.Problems("Gateway:Http"));
        }
        foreach (var url in new[] { "http://127.0.0.1:8042", "http://localhost:8042", "http://[::1]:8042" })
            Assert.Empty(new HttpOptions { Url = url }.Problems("Gateway:Http"));
        Assert.NotEmpty(new HttpOptions { Url = "https://127.0.0.1:8042" }.Problems("Gateway:Http"));
        Assert.NotEmpty(new HttpOptions { PasswordHash = "secret" }.Problems("Gateway:Http"));
    }

    [Fact]
    public async Task With_a_password_only_health_is_open()
    {
        await using var archive = await StartAsync();
        foreach (var path in new[] { "/api/status", "/api/transactions", "/api/quarantine", "/metrics", "/dashboard.js" })
            Assert.Equal(HttpStatusCode.Unauthorized, (await archive.Client.GetAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await archive.Client.GetAsync("/health/live")).StatusCode);
        Assert.Equal("/login", (await archive.Client.GetAsync("/")).Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(archive, "/api/status", Basic("admin", Password)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(archive, "/metrics", new AuthenticationHeaderValue("Bearer", "0123456789abcdef")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(archive, "/api/status", new AuthenticationHeaderValue("Bearer", "0123456789abcdef")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(archive, "/api/status", Basic("root", Password)));
    }

    [Fact]
    public async Task A_login_gives_a_cookie_that_pages_of_others_cannot_use_and_logout_ends_it()
    {
        await using var archive = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await LoginAsync(archive, "wrong")).StatusCode);
        var login = await LoginAsync(archive, Password);
        Assert.Equal("/", login.Headers.Location!.OriginalString);
        var set = Assert.Single(login.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", set, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", set, StringComparison.OrdinalIgnoreCase);
        var cookie = set.Split(';')[0];
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Get, "/api/status"));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Post, "/api/destinations/archive/retry", ("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(HttpMethod.Post, "/api/destinations/archive/retry", ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(HttpMethod.Post, "/api/destinations/archive/retry", ("Sec-Fetch-Site", "same-site")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(HttpMethod.Delete, "/api/quarantine/archive", ("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(HttpMethod.Delete, "/api/quarantine/archive", ("Origin", "null")));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Post, "/api/destinations/archive/retry", ("Origin", archive.Gateway.Url)));
        Assert.Equal(HttpStatusCode.Redirect, await SendAsync(HttpMethod.Post, "/logout"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(HttpMethod.Get, "/api/status"));

        async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Add("Cookie", cookie);
            foreach (var (name, value) in headers) request.Headers.Add(name, value);
            return (await archive.Client.SendAsync(request)).StatusCode;
        }
    }

    [Fact]
    public async Task Who_guesses_has_to_wait()
    {
        await using var archive = await StartAsync();
        HttpResponseMessage answer;
        var attempts = 0;
        do answer = await LoginAsync(archive, "guess " + attempts);
        while (answer.StatusCode == HttpStatusCode.Unauthorized && ++attempts < 20);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(5, attempts);
        Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
    }

    [Fact]
    public async Task Without_a_password_only_names_of_this_machine_are_answered()
    {
        await using var archive = await RefusingArchive.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/status") { Headers = { Host = "rebound.example" } };
        Assert.Equal(HttpStatusCode.Forbidden, (await archive.Client.SendAsync(request)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await archive.Client.GetAsync("/api/status")).StatusCode);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.1", false)]
    public async Task Headers_of_a_trusted_proxy_count_and_those_of_others_do_not(string proxy, bool isTrusted)
    {
        await using var archive = await RefusingArchive.StartAsync(new()
            { ["Gateway__Http__PasswordHash"] = PasswordHash.Create(Password), ["Gateway__Http__TrustedProxies"] = proxy });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Headers = { { "X-Forwarded-Proto", "https" }, { "X-Forwarded-For", "192.0.2.1" } },
            Content = new FormUrlEncodedContent([new("user", "admin"), new("password", Password)]),
        };
        var set = Assert.Single((await archive.Client.SendAsync(request)).Headers.GetValues("Set-Cookie"));
        Assert.Equal(isTrusted, set.Contains("secure", StringComparison.OrdinalIgnoreCase));
    }

    private static Task<RefusingArchive> StartAsync() =>
        RefusingArchive.StartAsync(new()
            { ["Gateway__Http__PasswordHash"] = PasswordHash.Create(Password), ["Gateway__Http__MetricsToken"] = "0123456789abcdef" });

    private static Task<HttpResponseMessage> LoginAsync(RefusingArchive archive, string password) =>
        archive.Client.PostAsync("/login", new FormUrlEncodedContent([new("user", "admin"), new("password", password)]));

    private static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static async Task<HttpStatusCode> StatusAsync(RefusingArchive archive, string path, AuthenticationHeaderValue authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = authorization } };
        return (await archive.Client.SendAsync(request)).StatusCode;
    }
}
