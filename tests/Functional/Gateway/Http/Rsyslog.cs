using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>A real rsyslogd that writes what it receives over UDP and TLS to a file.</summary>
internal sealed class Rsyslog : IAsyncDisposable
{
    public const string Program = "/usr/sbin/rsyslogd", TlsModule = "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so";

    private readonly string folder = Directory.CreateTempSubdirectory("rsyslog").FullName;
    private Process process = null!;

    public int Port { get; } = FreePorts.Next();
    public string AuthorityPath => At("ca.pem");
    public string Received => File.Exists(At("received")) ? File.ReadAllText(At("received")) : "";

    public static async Task<Rsyslog> StartAsync()
    {
        var syslog = new Rsyslog();
        syslog.Certify();
        await File.WriteAllTextAsync(syslog.At("conf"), $$"""
            global(workDirectory="{{syslog.folder}}" maxMessageSize="64k" DefaultNetstreamDriver="gtls"
            DefaultNetstreamDriverCAFile="{{syslog.At("ca.pem")}}" DefaultNetstreamDriverCertFile="{{syslog.At("server.pem")}}"
            DefaultNetstreamDriverKeyFile="{{syslog.At("server.key")}}")
            module(load="imudp")
            input(type="imudp" port="{{syslog.Port}}" address="127.0.0.1")
            module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
            input(type="imtcp" port="{{syslog.Port}}" address="127.0.0.1")
            template(name="raw" type="string" string="%rawmsg%\n")
            action(type="omfile" file="{{syslog.At("received")}}" template="raw")
            """);
        syslog.process = Process.Start(new ProcessStartInfo(Program, ["-n", "-f", syslog.At("conf"), "-i", syslog.At("pid")])
            { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await ApiTests.UntilAsync(async () =>
        {
            Assert.False(syslog.process.HasExited, "rsyslogd has ended");
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", syslog.Port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        return syslog;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Certify()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=Audit CA", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText(At("ca.pem"), authority.ExportCertificatePem());
        using var serverKey = RSA.Create(2048);
        var server = new CertificateRequest("CN=localhost", serverKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        using var certificate = server.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3]);
        File.WriteAllText(At("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(At("server.key"), serverKey.ExportPkcs8PrivateKeyPem());
    }

    private string At(string name) => Path.Combine(folder, name);
}
