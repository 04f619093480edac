import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.transport.TransportAddress;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * A single Elasticsearch node with ES|QL on loopback, with the server's defaults. Writes its HTTP port as one line, and
 * ends when its standard input does. The first argument is the folder for its data, each other one a jar that belongs to
 * a module: the server wants the classes of modules in class loaders of their own.
 */
public final class Node {
    private static final Map<String, String> CLASSES = Map.of(
        "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin",
        "x-pack-core", "org.elasticsearch.xpack.core.XPackPlugin",
        "x-pack-esql", "org.elasticsearch.xpack.esql.plugin.EsqlPlugin"
    );
    private static final Map<String, String> EXTENDED = Map.of("x-pack-esql", "x-pack-core");

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        for (String name : CLASSES.keySet()) {
            describe(home.resolve("modules").resolve(name), name);
        }
        for (int at = 1; at < arguments.length; at++) {
            Path jar = Path.of(arguments[at]);
            Files.createSymbolicLink(home.resolve("modules").resolve(module(jar)).resolve(jar.getFileName()), jar);
        }
        Files.createDirectories(home.resolve("config"));
        Settings settings = Settings.builder()
            .put("node.name", "conformance")
            .put("cluster.name", "conformance-" + ProcessHandle.current().pid())
            .put("path.home", arguments[0])
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            // A nearly full disk is no reason to refuse some megabytes of events.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            // Warnings of ES|QL, about values that are no addresses, are a header each; clients take so many only.
            .put("http.max_warning_header_count", 5)
            .build();
        LogConfigurator.configureWithoutConfig(settings);
        Environment environment = new Environment(settings, home.resolve("config"));
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
        try (var node = new org.elasticsearch.node.Node(environment, loader)) {
            node.start();
            TransportAddress address = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
            System.out.println("port " + address.getPort());
            while (System.in.read() >= 0) {
                // Nothing is expected.
            }
        }
    }

    /** The module that a jar belongs to. */
    private static String module(Path jar) {
        String name = jar.getFileName().toString();
        for (String module : List.of("transport-netty4", "x-pack-core")) {
            if (name.startsWith(module + "-")) {
                return module;
            }
        }
        return "x-pack-esql";
    }

    /** What the distribution has beside the jars of a module. */
    private static void describe(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("plugin-descriptor.properties"), String.join("\n",
            "name=" + name,
            "description=" + name,
            "version=" + Build.current().version(),
            "elasticsearch.version=" + Build.current().version(),
            "java.version=17",
            "classname=" + CLASSES.get(name),
            "extended.plugins=" + EXTENDED.getOrDefault(name, "")
        ));
    }
}
