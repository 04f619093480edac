import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.transport.TransportAddress;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * A single OpenSearch node on loopback, with the server's defaults. Writes its HTTP port as one line, and ends when its
 * standard input does, so that no node outlives the harness. The argument is the folder for its data.
 */
public final class Node extends org.opensearch.node.Node {
    private Node(Environment environment) {
        super(environment, List.of(Netty4Plugin.class, PainlessPlugin.class), false);
    }

    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.builder()
            .put("node.name", "conformance")
            .put("cluster.name", "conformance-" + ProcessHandle.current().pid())
            .put("path.home", arguments[0])
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            // A nearly full disk is no reason to refuse some megabytes of events.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        try (Node node = new Node(new Environment(settings, Path.of(arguments[0])))) {
            node.start();
            TransportAddress address = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
            System.out.println("port " + address.getPort());
            while (System.in.read() >= 0) {
                // Nothing is expected.
            }
        }
    }
}
