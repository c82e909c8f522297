using System.Diagnostics;
using System.Globalization;

namespace DicomServerless.Shared;

/// <summary>nginx, until it is disposed of.</summary>
public sealed class Nginx : IDisposable
{
    private readonly DirectoryInfo folder;
    private readonly Process process;

    private Nginx(DirectoryInfo folder, Process process, string url) => (this.folder, this.process, Url) = (folder, process, url);

    public string Url { get; }

    /// <summary>One location, <c>/dicom/</c>, that leads to a server.</summary>
    /// <param name="target">The server's URL.</param>
    /// <param name="strips">Whether the prefix is taken away, and said in X-Forwarded-Prefix.</param>
    public static Task<Nginx> StartAsync(string target, bool strips) => StartAsync(FreePorts.Next(), $$"""
        location /dicom/ {
          proxy_pass {{target}}{{(strips ? "/" : "")}};
          proxy_http_version 1.1;
          proxy_request_buffering off;
          proxy_buffering off;
          proxy_set_header X-Forwarded-For $remote_addr;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-Host $http_host;
          {{(strips ? "proxy_set_header X-Forwarded-Prefix /dicom;" : "")}}
        }
        """);

    /// <summary>A folder of files; what is not there is its index.html, as static hosting does for such pages.</summary>
    public static Task<Nginx> StartFilesAsync(string folder, int port) =>
        StartAsync(port, $"include /etc/nginx/mime.types; types {{ application/wasm wasm; }} root {folder}; location / {{ try_files $uri /index.html; }}");

    private static async Task<Nginx> StartAsync(int port, string locations)
    {
        var folder = Directory.CreateTempSubdirectory("nginx-");
        var place = folder.FullName;
        var configuration = string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            pid {{place}}/pid;
            error_log {{place}}/error.log;
            events {}
            http {
              access_log off;
              client_body_temp_path {{place}}/body; proxy_temp_path {{place}}/proxy; fastcgi_temp_path {{place}}/fastcgi;
              uwsgi_temp_path {{place}}/uwsgi; scgi_temp_path {{place}}/scgi;
              server {
                listen 127.0.0.1:{{port}};
                client_max_body_size 0;
                {{locations}}
              }
            }
            """);
        await File.WriteAllTextAsync(Path.Combine(place, "nginx.conf"), configuration);
        var process = Process.Start(new ProcessStartInfo("/usr/sbin/nginx", ["-c", Path.Combine(place, "nginx.conf"), "-e", Path.Combine(place, "error.log")])
            { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var nginx = new Nginx(folder, process, $"http://127.0.0.1:{port}");
        using var client = new HttpClient();
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            try
            {
                using var answer = await client.GetAsync(nginx.Url + "/");
                return nginx;
            }
            catch (HttpRequestException) when (!process.HasExited && watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                // Not yet.
            }
        }
    }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
        folder.Delete(recursive: true);
    }
}
