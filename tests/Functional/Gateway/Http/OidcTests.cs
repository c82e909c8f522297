using System.Net;
using System.Text.Json.Nodes;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>Logins of the dashboard at an OpenID provider, in a real browser.</summary>
public sealed class OidcTests
{
    [Fact]
    public async Task A_login_at_a_provider_opens_the_dashboard_and_a_logout_ends_every_copy_of_its_session()
    {
        if (!Peers.Require(Chromium.Program)) return;
        await using var system = await StartAsync();
        await using var page = await Chromium.OpenAsync(system.Archive.Gateway.Url + "/");
        await LogInAsync(system, page, "ada");
        await page.UntilAsync("document.getElementById('health')?.textContent === 'Ready'");
        Assert.Equal("200", await StatusAsync(page));
        var cookie = await page.CookieAsync(system.Archive.Gateway.Url, "dicom-gateway-session");
        Assert.Equal(HttpStatusCode.OK, await SendAsync(system.Archive, "/api/status", cookie));
        // Scripts cannot read it, and of the login nothing is left over.
        Assert.Equal("", await page.EvaluateAsync("document.cookie"));
        // The way back works once, and in this browser.
        var back = page.Requests.Single(request => request.AbsolutePath == OidcLogin.CallbackPath).PathAndQuery;
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(system.Archive, back, cookie));
        // A page of another origin cannot use it, to end the session or for anything else.
        await page.NavigateAsync(system.Provider.Url + "/.well-known/openid-configuration");
        await page.UntilAsync("document.body?.innerText.includes('issuer')");
        foreach (var path in new[] { "/logout", "/api/destinations/archive/retry" })
            await page.EvaluateAsync($"fetch('{system.Archive.Gateway.Url}{path}', "
                + "{ method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => '')");
        Assert.Contains(page.FailedRequests, failed => failed.Contains(system.Archive.Gateway.Url + "/logout", StringComparison.Ordinal));
        await page.NavigateAsync(system.Archive.Gateway.Url + "/");
        await page.UntilAsync("document.getElementById('health')?.textContent === 'Ready'");

        await page.EvaluateAsync("document.querySelector('form[action=\"/logout\"] button').click()");
        await page.UntilAsync("location.pathname === '/login'");
        Assert.Equal("401", await StatusAsync(page));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(system.Archive, "/api/status", cookie));
    }

    [Theory]
    [InlineData("guest", "", "guest may not use this gateway.")]
    [InlineData("ada", "audience", "The ID token is for another client.")]
    [InlineData("ada", "issuer", "The ID token is of another issuer.")]
    [InlineData("ada", "nonce", "The ID token is of another login.")]
    [InlineData("ada", "expired", "The ID token has expired.")]
    [InlineData("ada", "signature", "The ID token's signature is not the provider's, or the token cannot be read.")]
    public async Task A_login_is_refused_without_the_role_and_with_a_false_token(string user, string bend, string expected)
    {
        if (!Peers.Require(Chromium.Program)) return;
        await using var system = await StartAsync();
        await system.Provider.BendAsync(bend);
        await using var page = await Chromium.OpenAsync(system.Archive.Gateway.Url + "/");
        await LogInAsync(system, page, user);
        await page.UntilAsync("document.querySelector('[role=alert]')");
        Assert.Equal(expected, await page.EvaluateAsync("document.querySelector('[role=alert]').textContent"));
        var callback = "403 " + system.Archive.Gateway.Url + OidcLogin.CallbackPath;
        Assert.Contains(page.FailedRequests, failed => failed.StartsWith(callback, StringComparison.Ordinal));
        Assert.Equal("401", await StatusAsync(page));
    }

    [Fact]
    public async Task A_login_that_was_begun_elsewhere_or_not_at_all_is_refused()
    {
        await using var system = await StartAsync();
        var client = system.Archive.Client;
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/status")).StatusCode);
        var begin = await client.GetAsync("/login/oidc");
        Assert.StartsWith(system.Provider.Url, begin.Headers.Location!.OriginalString, StringComparison.Ordinal);
        var cookies = begin.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]).ToArray();
        Assert.Equal(2, cookies.Length); // of nonce and state
        Assert.All(begin.Headers.GetValues("Set-Cookie"), cookie => Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase));
        foreach (var state in new[] { "", "forged" })
        {
            var answer = await client.GetAsync($"{OidcLogin.CallbackPath}?code=the-code&state={state}");
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("The login took too long, or was begun elsewhere.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.DoesNotContain(Cookies(answer), cookie => cookie.StartsWith("dicom-gateway-session=", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_provider_that_does_not_answer_is_said()
    {
        await using var archive = await RefusingArchive.StartAsync(Settings($"http://127.0.0.1:{FreePorts.Next()}"));
        var answer = await archive.Client.GetAsync("/login/oidc");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("The OpenID provider does not answer.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Sessions end with what their login was checked against; the handler of the platform takes the options anew.</summary>
    [Fact]
    public async Task A_provider_can_come_and_go_while_the_gateway_runs()
    {
        var (port, password) = (FreePorts.Next(), new JsonObject { ["PasswordHash"] = PasswordHash.Create("correct horse") });
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", configuration: Configuration(password));
        await using var provider = await OidcProvider.StartAsync(port, gateway.Url + OidcLogin.CallbackPath);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(gateway.Url) };
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/login/oidc")).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await client.PostAsync("/login",
            new FormUrlEncodedContent([new("user", "admin"), new("password", "correct horse")]))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/status")).StatusCode);

        var both = (JsonObject)password.DeepClone();
        both["Oidc"] = new JsonObject
            { ["Authority"] = provider.Url, ["ClientId"] = "gateway", ["ClientSecret"] = "s e", ["RequiredRole"] = "dicom-admin" };
        await File.WriteAllTextAsync(gateway.ConfigurationFile, Configuration(both));
        await UntilAsync(HttpStatusCode.Redirect);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/status")).StatusCode);
        await File.WriteAllTextAsync(gateway.ConfigurationFile, Configuration(password));
        await UntilAsync(HttpStatusCode.NotFound);

        static string Configuration(JsonObject http) => new JsonObject { ["Gateway"] = new JsonObject { ["Http"] = http.DeepClone() } }.ToJsonString();

        async Task UntilAsync(HttpStatusCode expected)
        {
            var deadline = DateTime.UtcNow.AddSeconds(60);
            while ((await client.GetAsync("/login/oidc")).StatusCode != expected)
            {
                Assert.True(DateTime.UtcNow < deadline, gateway.Output);
                await Task.Delay(200);
            }
        }
    }

    private static Dictionary<string, string> Settings(string authority) => new()
    {
        ["Gateway__Http__Oidc__Authority"] = authority, ["Gateway__Http__Oidc__ClientId"] = "gateway",
        ["Gateway__Http__Oidc__ClientSecret"] = "s e", ["Gateway__Http__Oidc__RequiredRole"] = "dicom-admin",
    };

    private static async Task<LoginSystem> StartAsync()
    {
        var port = FreePorts.Next();
        var archive = await RefusingArchive.StartAsync(Settings($"http://127.0.0.1:{port}"));
        return new LoginSystem(archive, await OidcProvider.StartAsync(port, archive.Gateway.Url + OidcLogin.CallbackPath));
    }

    // The pages of the provider: a login with any password, then the user's consent.
    private static async Task LogInAsync(LoginSystem system, Chromium page, string user)
    {
        await page.UntilAsync("location.pathname === '/login' && document.querySelector('a.button')");
        await page.EvaluateAsync("document.querySelector('a.button').click()");
        await page.UntilAsync("document.querySelector('[name=login]')");
        await page.EvaluateAsync($"document.querySelector('[name=login]').value = '{user}'; document.querySelector('[name=password]').value = 'any'; "
            + "document.querySelector('form').requestSubmit()");
        await page.UntilAsync("document.querySelector('[name=prompt][value=consent]')");
        await page.EvaluateAsync("document.querySelector('form').requestSubmit()");
        await page.UntilAsync($"location.href.startsWith('{system.Archive.Gateway.Url}')");
    }

    private static Task<string> StatusAsync(Chromium page) => page.EvaluateAsync("fetch('/api/status').then(answer => answer.status)");

    private static IEnumerable<string> Cookies(HttpResponseMessage answer) => answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [];

    private static async Task<HttpStatusCode> SendAsync(RefusingArchive archive, string path, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Cookie", cookie);
        return (await archive.Client.SendAsync(request)).StatusCode;
    }

    private sealed record LoginSystem(RefusingArchive Archive, OidcProvider Provider) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Archive.DisposeAsync();
            await Provider.DisposeAsync();
        }
    }
}
