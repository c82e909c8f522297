using System.Net;
using System.Security.Cryptography.X509Certificates;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Gateway;

/// <summary>Certificates from files that change: the way a secret of Kubernetes does, where a link is switched and the link's own time stays.</summary>
public sealed class CertificateTests
{
    [Fact]
    public async Task A_renewed_client_certificate_and_authority_come_into_use_without_a_restart()
    {
        using var authority = new TestAuthority();
        authority.Issue("server", "localhost");
        authority.Issue("first", "first");
        authority.Issue("second", "second");
        using var secret = new Secret(authority, "first");
        var shown = new List<string>();
        await using var server = await StartAsync(authority, shown);
        var options = new DestinationOptions
        {
            Url = $"https://localhost:{new Uri(server.Urls.First()).Port}", ClientCertificate = secret.Certificate, ClientCertificateKey = secret.Key,
            ServerCertificateAuthority = authority.At("ca.pem"),
        };
        using var client = new DestinationClient(options, TimeProvider.System);
        await AskAsync(client);
        secret.Switch("second");
        await AskAsync(client); // the server closes each connection, so there is another handshake
        Assert.Equal(["CN=first", "CN=second"], shown);

        using var other = new TestAuthority();
        var authorities = await File.ReadAllTextAsync(authority.At("ca.pem"));
        File.Copy(other.At("ca.pem"), authority.At("ca.pem"), overwrite: true);
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(client));
        await File.WriteAllTextAsync(authority.At("ca.pem"), authorities);
        await AskAsync(client);
    }

    [Fact]
    public void The_dashboard_shows_a_renewed_certificate_and_keeps_the_old_one_while_the_files_are_bad()
    {
        using var authority = new TestAuthority();
        authority.Issue("first", "first");
        authority.Issue("second", "second");
        using var secret = new Secret(authority, "first");
        var options = new HttpOptions { CertificatePath = secret.Certificate, KeyPath = secret.Key };
        var certificate = new HttpsCertificate(() => options);
        Assert.Equal("CN=first", certificate.Current.TargetCertificate.Subject);
        secret.Switch("second");
        Assert.Equal("CN=second", certificate.Current.TargetCertificate.Subject);
        secret.Spoil();
        Assert.Equal("CN=second", certificate.Current.TargetCertificate.Subject);
        secret.Switch("first");
        Assert.Equal("CN=first", certificate.Current.TargetCertificate.Subject);
    }

    // A renewal that failed is heard of before the old certificate ends, and not with each handshake.
    [Fact]
    public void Files_of_the_dashboards_certificate_that_cannot_be_used_are_logged_once_for_each_content()
    {
        using var authority = new TestAuthority();
        authority.Issue("first", "first");
        using var secret = new Secret(authority, "first");
        var (options, log) = (new HttpOptions { CertificatePath = secret.Certificate, KeyPath = secret.Key }, new Warnings());
        var certificate = new HttpsCertificate(() => options) { Log = log };
        Look();
        Assert.Empty(log.Ids);
        secret.Spoil();
        Look();
        Assert.Equal([5016], log.Ids);
        secret.Spoil("half a ke");
        Look();
        Assert.Equal([5016, 5016], log.Ids);
        secret.Switch("first");
        Look();
        // The configuration names other files, which are not there yet.
        options = new HttpOptions { CertificatePath = secret.Certificate + ".new", KeyPath = secret.Key };
        Look();
        Assert.Equal([5016, 5016, 5016], log.Ids);

        void Look()
        {
            for (var i = 0; i < 3; i++) Assert.Equal("CN=first", certificate.Current.TargetCertificate.Subject);
        }
    }

    private static async Task AskAsync(DestinationClient client)
    {
        using var answer = await client.SendAsync(HttpMethod.Get, "/studies", null, null, default);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<WebApplication> StartAsync(TestAuthority authority, List<string> shown)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        var own = X509Certificate2.CreateFromPemFile(authority.At("server.pem"), authority.At("server.key"));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = own;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (_, _, _) => true;
        })));
        var app = builder.Build();
        app.MapGet("/studies", (HttpContext http) =>
        {
            lock (shown)
                if (shown.Count < 2) shown.Add(http.Connection.ClientCertificate!.Subject);
            http.Response.Headers.Connection = "close";
            return Results.Text("[]");
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>Keeps the ids of what is logged.</summary>
    private sealed class Warnings : ILogger
    {
        public List<int> Ids { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Assert.Equal(LogLevel.Warning, logLevel);
            Ids.Add(eventId.Id);
        }
    }

    /// <summary>A folder of links as Kubernetes mounts a secret: <c>tls.crt → ..data/tls.crt</c>, and <c>..data</c> is switched.</summary>
    private sealed class Secret : IDisposable
    {
        private readonly TestAuthority authority;
        private readonly string folder = Directory.CreateTempSubdirectory("secret").FullName;
        private int version;

        public Secret(TestAuthority authority, string file)
        {
            this.authority = authority;
            Switch(file);
            File.CreateSymbolicLink(Certificate, "..data/tls.crt");
            File.CreateSymbolicLink(Key, "..data/tls.key");
        }

        public string Certificate => Path.Combine(folder, "tls.crt");

        public string Key => Path.Combine(folder, "tls.key");

        public void Switch(string file)
        {
            var data = Directory.CreateDirectory(Path.Combine(folder, $"..{++version}")).FullName;
            File.Copy(authority.At(file + ".pem"), Path.Combine(data, "tls.crt"));
            File.Copy(authority.At(file + ".key"), Path.Combine(data, "tls.key"));
            var link = Path.Combine(folder, "..data");
            if (Directory.Exists(link)) Directory.Delete(link);
            Directory.CreateSymbolicLink(link, data);
        }

        public void Spoil(string key = "half a k") => File.WriteAllText(Path.Combine(folder, "..data", "tls.key"), key);

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
